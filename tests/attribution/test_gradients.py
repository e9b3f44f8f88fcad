"""Methods of gradients, by finite differences, by their formulae written in torch, and by what they must add up to."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.attribution.integrated_gradients import IntegratedGradients
from nissl.attribution.smooth_grad import SmoothGrad
from nissl.errors import BadValue, Unsupported
from nissl.testing.attribution import LABELS, convolving, images

MODEL, X = convolving().eval(), images()


def by_hand(x, model=MODEL, labels=LABELS):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(model(x).gather(1, torch.as_tensor(labels)[:, None]).sum(), x)[0]


def scores(x, model=MODEL, labels=LABELS):
    with torch.no_grad():
        return model(x).gather(1, torch.as_tensor(labels)[:, None])[:, 0].numpy()


def test_the_gradient_is_a_finite_difference():
    found = nissl.attribute(MODEL, X, LABELS, by="gradient")
    for place in [(0, 4, 4), (0, 8, 2)]:
        step = torch.zeros_like(X)
        step[:, *place] = 1e-6
        np.testing.assert_allclose(found[:, *place], (scores(X + step) - scores(X - step)) / 2e-6, rtol=1e-5, atol=1e-8)
    np.testing.assert_array_equal(nissl.attribute(MODEL, X, LABELS, by="saliency"), np.abs(found))
    np.testing.assert_allclose(nissl.attribute(MODEL, X, LABELS, by="gradient_input"), found * X.numpy())


def test_targets_are_classes_predictions_sums_and_functions():
    whole = nissl.attribute(MODEL, X, "sum", by="gradient")
    each = [nissl.attribute(MODEL, X, label, by="gradient") for label in range(3)]
    np.testing.assert_allclose(whole, sum(each[1:], each[0]), rtol=1e-9, atol=1e-12)
    margin = nissl.attribute(MODEL, X, lambda out: out[:, 2] - out[:, 0], by="gradient")
    np.testing.assert_allclose(margin, each[2] - each[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(margin.scores, each[2].scores - each[0].scores)
    assert [one.target for one in (whole, each[1])] == ["sum of the outputs", "class 1"]
    assert nissl.attribute(MODEL, X, lambda out: out.sum(), by="gradient").scores is None


def test_a_single_output_speaks_for_class_1_and_against_class_0():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1)).double()
    x = torch.randn(6, 4, dtype=torch.float64)
    plain = nissl.attribute(model, x, "sum", by="gradient")
    labels = np.array([0, 1, 1, 0, 1, 0])
    np.testing.assert_allclose(
        nissl.attribute(model, x, labels, by="gradient"), plain * np.where(labels, 1, -1)[:, None]
    )
    likely = nissl.attribute(model, x, by="gradient")
    np.testing.assert_array_equal(likely.numbers, model(x)[:, 0].detach().numpy() > 0)
    np.testing.assert_allclose(likely.scores, np.abs(plain.scores))


@pytest.mark.parametrize(
    "target",
    [LABELS, "predicted", "sum", lambda out: out[:, 0] * out[:, 1]],
    ids=["labels", "predicted", "sum", "function"],
)
def test_integrated_gradients_add_up_to_the_score_less_the_baselines(target):
    for baseline in (0.0, -1.0, np.full((1, 9, 9), 0.3)):
        found = nissl.attribute(MODEL, X, target, by=IntegratedGradients(200, baseline))
        away = found.values.reshape(5, -1).sum(1) - found.gap
        np.testing.assert_array_less(np.abs(found.gap), 0.01 * np.abs(away) + 1e-3)
    started = scores(torch.full_like(X, -1.0))
    found = nissl.attribute(MODEL, X, LABELS, by=IntegratedGradients(8, -1.0))
    np.testing.assert_allclose(found.values.reshape(5, -1).sum(1) - found.gap, scores(X) - started)


def test_integrated_gradients_of_a_smooth_network_are_exact_also_at_a_layer():
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    x = torch.randn(5, 6, dtype=torch.float64)
    for at in (None, "0", "2"):
        found = nissl.attribute(model, x, LABELS, at=at, steps=40)
        assert np.abs(found.gap).max() < 1e-9


def test_conductance_adds_up_at_a_layer_and_is_that_of_the_inputs_way():
    for at in ("0", "3"):
        found = nissl.attribute(MODEL, X, LABELS, by="conductance", steps=200, baseline=-1.0, at=at)
        np.testing.assert_array_less(np.abs(found.gap), 0.01 * np.abs(found.values).sum((1, 2, 3)))
    with pytest.raises(Unsupported, match="integrated_gradients"):
        nissl.attribute(MODEL, X, LABELS, by="conductance")


def test_the_baselines_gradient_is_taken_off_and_computed_once_for_each_class():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside, self.rows = MODEL, 0

        def forward(self, x):
            self.rows += len(x)
            return self.inside(x)

    model = Counting()
    many, labels = torch.cat([X] * 8), np.tile(LABELS, 8)
    found = nissl.attribute(model, many, labels, by="baseline_delta", baseline=-1.0)
    wanted = (by_hand(many, labels=labels) - by_hand(torch.full_like(many, -1.0), labels=labels)) * many
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
    assert model.rows == 2 + 40 + 3
    with pytest.raises(BadValue, match="one example's shape"):
        nissl.attribute(MODEL, X, LABELS, by="baseline_delta", baseline=np.zeros((9, 8)))


def test_smooth_gradients_have_the_papers_noise():
    seen = []

    class Looking(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = MODEL

        def forward(self, x):
            seen.append(x.detach().clone())
            return self.inside(x)

    wide = X * torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).double()[:, None, None, None]
    found = nissl.attribute(Looking(), wide, LABELS, by=SmoothGrad(40, 0.1))
    noisy = [one for one in seen[1:] if len(one) == 5 and not torch.equal(one, wide)]
    deviation = torch.stack([one - wide for one in noisy]).flatten(2).std((0, 2))
    np.testing.assert_allclose(deviation, 0.1 * (wide.flatten(1).amax(1) - wide.flatten(1).amin(1)), rtol=0.03)
    np.testing.assert_allclose(found, torch.stack([by_hand(one) for one in noisy]).mean(0), rtol=1e-6, atol=1e-9)


def test_of_token_ids_a_layer_is_asked():
    model = nn.Sequential(nn.Embedding(9, 6), nn.Flatten(), nn.Linear(24, 8), nn.ReLU(), nn.Linear(8, 3))
    tokens = torch.arange(20).reshape(5, 4) % 9
    found = nissl.attribute(model, tokens, LABELS, by="gradient_input", at="0")
    assert found.shape == (5, 4, 6)
    with pytest.raises(Unsupported, match="integers"):
        nissl.attribute(model, tokens, LABELS, at="0")  # a baseline of tokens has no meaning


def test_several_inputs_are_asked_at_a_layer():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 3)

        def forward(self, a, b):
            return self.last(self.first(a) * b)

    x = (torch.randn(5, 3), torch.randn(5, 4))
    found = nissl.attribute(Two(), x, LABELS, by="gradient", at="first")
    assert found.shape == (5, 4)
    with pytest.raises(Unsupported, match="several arrays"):
        nissl.attribute(Two(), x, LABELS, by="gradient")


def test_a_layers_magnitude_is_that_of_all_that_it_says():
    x = X.clone().requires_grad_()
    wanted = torch.autograd.grad(MODEL[:3](x).abs().sum(), x)[0]
    found = nissl.attribute(MODEL, X, at="0", unit="whole", by="gradient")
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.scores, MODEL[:3](X).abs().flatten(1).sum(1).detach())


def test_that_outputs_are_probabilities_is_told():
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))
    (note,) = nissl.attribute(model, torch.randn(5, 4), LABELS, by="gradient").notes
    assert "probabilities" in note
    assert nissl.attribute(model[:1], torch.randn(5, 4), LABELS, by="gradient").notes == ()


def test_several_methods_in_one_call():
    both = nissl.attribute(MODEL, X, LABELS, by=["gradient", SmoothGrad(2), SmoothGrad(3)])
    assert list(both) == ["gradient", repr(SmoothGrad(2)), repr(SmoothGrad(3))]
    np.testing.assert_array_equal(both["gradient"], nissl.attribute(MODEL, X, LABELS, by="gradient"))
    with pytest.raises(BadValue, match="take no steps"):
        nissl.attribute(MODEL, X, LABELS, by=["gradient", "saliency"], steps=3)
    with pytest.raises(BadValue, match="names no method"):
        nissl.attribute(MODEL, X, LABELS, by=[])
