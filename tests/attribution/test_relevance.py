"""Layer-wise relevance propagation, by its sums written out."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.attribution.lrp import Lrp
from nissl.errors import BadValue, Unsupported
from nissl.testing.attribution import LABELS, convolving, images


def perceptron(bias, bend=nn.ReLU):
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Linear(6, 8, bias=bias), bend(), nn.Linear(8, 7, bias=bias), bend(), nn.Linear(7, 3, bias=bias)
    ).double()


X = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def written_out(model, x, rule, epsilon=1e-6, gamma=0.25):
    """Share by share, in numpy."""
    layers = [
        (m.weight.detach().numpy(), 0 if m.bias is None else m.bias.detach().numpy())
        for m in model
        if isinstance(m, nn.Linear)
    ]
    given, value = [], x.numpy()
    for at, (weight, bias) in enumerate(layers):
        given.append(value)
        value = value @ weight.T + bias
        value = np.maximum(value, 0) if at < len(layers) - 1 else value
    relevance = np.zeros_like(value)
    relevance[np.arange(5), LABELS] = value[np.arange(5), LABELS]
    for a, (weight, bias) in zip(reversed(given), reversed(layers), strict=True):
        each = a[:, None, :] * weight  # example, output, input
        favoured = np.maximum(each, 0)
        shares = {"epsilon": each, "gamma": each + gamma * favoured, "z_plus": favoured}[rule]
        own = {"epsilon": bias, "gamma": bias + gamma * np.maximum(bias, 0), "z_plus": 0}[rule]
        whole = shares.sum(2) + own
        whole = whole + np.where(whole < 0, -epsilon, epsilon)
        relevance = (shares * (relevance / whole)[:, :, None]).sum(1)
    return relevance


@pytest.mark.parametrize("rule", ["epsilon", "gamma", "z_plus"])
@pytest.mark.parametrize("bias", [False, True])
def test_it_is_the_rule_written_out(rule, bias):
    found = nissl.attribute(perceptron(bias), X, LABELS, by="lrp", rule=rule)
    np.testing.assert_allclose(found, written_out(perceptron(bias), X, rule), rtol=1e-7, atol=1e-9)
    assert found.notes == ("by the rule: 3 dense",)


@pytest.mark.parametrize("rule", ["epsilon", "gamma", "z_plus", "epsilon_plus"])
def test_relevance_is_conserved_where_there_is_no_bias(rule):
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(3, 5, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 6, 2, bias=False), nn.GELU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(6, 3, bias=False),
    ).double()  # fmt: skip
    x = images((3, 8, 9))[:, :, :, :8]
    for at in (None, "0", "3"):
        found = nissl.attribute(model, x, LABELS, by=Lrp(rule, epsilon=1e-12), at=at)
        np.testing.assert_allclose(found.gap, 0, atol=1e-6 * np.abs(found.scores).max())


def test_epsilon_on_relus_without_bias_is_gradient_times_input():
    model = perceptron(bias=False)
    found = nissl.attribute(model, X, LABELS, by=Lrp("epsilon", epsilon=1e-12))
    np.testing.assert_allclose(found, nissl.attribute(model, X, LABELS, by="gradient_input"), rtol=1e-6, atol=1e-9)


def test_the_networks_outputs_and_the_model_stay_as_they_are():
    model, x = convolving().eval(), images()
    before = model(x)
    found = nissl.attribute(model, x, LABELS, by="lrp", rule="gamma")
    np.testing.assert_array_equal(found.scores, before.detach()[range(5), LABELS])
    assert torch.equal(model(x), before)
    assert all("forward" not in vars(module) for module in model.modules())
    assert found.notes == ("by the rule: 2 conv, 1 norm, 1 dense",)


def test_nonlinearities_without_a_rule_are_told():
    class Gelu(nn.Module):
        def forward(self, x):
            return nn.functional.gelu(x)

    assert nissl.attribute(perceptron(True, Gelu), X, LABELS, by="lrp").notes[1] == "as they are: 2 gelu"
    assert len(nissl.attribute(perceptron(True, nn.GELU), X, LABELS, by="lrp").notes) == 1


def test_rules_that_do_not_exist_and_frameworks_that_have_none_are_refused():
    with pytest.raises(BadValue, match="epsilon_plus"):
        nissl.attribute(perceptron(True), X, by="lrp", rule="alpha")
    with pytest.raises(BadValue, match="above 0"):
        nissl.attribute(perceptron(True), X, by="lrp", epsilon=0.0)
    with pytest.raises(BadValue, match="guided and deconvnet"), nissl.network(perceptron(True)).ruled("alpha"):
        pass
    pytest.importorskip("sklearn")
    from sklearn.neural_network import MLPClassifier

    fitted = MLPClassifier((4,), max_iter=2000, random_state=0, tol=1e-2).fit(X.numpy(), LABELS)
    with pytest.raises(Unsupported, match="calculus alone"):
        nissl.attribute(fitted, X.numpy(), LABELS, by="lrp")
