"""Whatever a network gives and whoever asks: a structure comes out that can be cut, or a sentence that says why not."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.core.trial import Trial
from nissl.errors import BadValue, NisslWarning, UnknownName
from nissl.models.resnet20 import Resnet20
from nissl.models.simple_net import SimpleNet
from nissl.models.transformer import Transformer
from tests.structures.corners import QUIET, accuracy, mlp


def test_a_class_by_name_or_number_is_one_of_the_family(learnt, family):
    model, x, y = learnt
    for target in ("se", 2):
        alone = nissl.structure(model, (x, y), target, classes=["sw", "nw", "se", "ne"], size=0.25, **QUIET)
        assert alone.target == "se"
        assert alone.members == family["se"].members
        for name, scores in alone.scores.items():
            np.testing.assert_array_equal(scores, family[2].scores[name])
    with pytest.raises(UnknownName, match="ne"):
        nissl.structure(model, (x, y), "north", classes=["sw", "nw", "se", "ne"], **QUIET)
    with pytest.raises(BadValue, match="target is missing"):
        nissl.structure(model, (x, y), **QUIET)


def test_cutting_a_structure_takes_its_class_and_no_others(learnt, family):
    model, x, y = learnt
    assert accuracy(model, x, y) > 0.9
    for number, found in enumerate(family.values()):
        mine = y == number
        with found.delete():
            own, others = accuracy(model, x[mine], y[mine]), accuracy(model, x[~mine], y[~mine])
        assert own < 0.5, found
        assert others > 0.7, found
    assert accuracy(model, x, y) > 0.9


def test_a_pair_asks_why_the_first_and_not_the_second(learnt):
    model, x, y = learnt
    found = nissl.structure(model, (x, y), (0, 3), by="integrated_gradients", baseline="counterfactual", **QUIET)
    assert found.target == "0 and not 3"
    case = found.case
    other = case.counterfactuals(0)
    assert (y.numpy()[other[y.numpy() == 0]] == 3).all()
    with torch.no_grad():
        margin = model(x)[:, 0] - model(x)[:, 3]
    mine = y == 0
    wanted = (margin[mine] - margin[other[mine.numpy()]]).mean().item()
    assert found.scores["2"].sum() == pytest.approx(wanted, rel=1e-3)
    with pytest.raises(BadValue, match="two different"):
        nissl.structure(model, (x, y), (1, 1), **QUIET)


def test_a_function_of_the_outputs(learnt):
    model, x, _ = learnt

    def spread(outputs):
        return outputs.max(1) - outputs.min(1)

    found = nissl.structure(model, x, spread, by="exact_ablation", **QUIET)
    assert found.target == "spread"
    (unit, *_), gone = found, None
    with found.having({unit.layer: [unit.unit]}).delete(), torch.no_grad():
        gone = spread(model(x).numpy()).mean()
    with torch.no_grad():
        assert unit.score == pytest.approx(spread(model(x).numpy()).mean() - gone, rel=1e-4)
    with pytest.raises(BadValue, match="one number an example"):
        nissl.structure(model, x, lambda outputs: outputs.sum(), **QUIET)


def test_regression_asks_for_an_output(learnt):
    _, x, _ = learnt
    model = mlp(2, 8, 2)
    y = torch.stack([x.sum(1), x.prod(1)], 1)
    found = nissl.structure(model, (x, y), 1, by="attribution_patching", baseline="mean", **QUIET)
    assert found.target == "output 1"
    with pytest.raises(BadValue, match="0 to 1"):
        nissl.structure(model, (x, y), "y", **QUIET)
    single = nissl.structures(mlp(2, 8, 1), (x, y[:, :1]), by="attribution_patching", **QUIET)
    assert list(single) == ["output 0"]


@pytest.mark.parametrize("squashed", [False, True])
def test_one_output_is_class_1_against_class_0(squashed, learnt):
    _, x, _ = learnt
    model = mlp(2, 8, 1)
    y = (x.sum(1) > 0).long()
    with torch.no_grad():
        model[2].weight.mul_(5)
        logit = model(x)[:, 0]
    whole = nn.Sequential(*model, nn.Sigmoid()) if squashed else model
    found = nissl.structures(whole, (x, y), by="integrated_gradients", baseline="zero", steps=20, rank="score", **QUIET)
    assert list(found) == ["0", "1"]
    with torch.no_grad():
        rest = model[2].bias.item()
    for number, sign in enumerate((-1, 1)):
        wanted = sign * (logit[y == number] - rest).mean().item()
        assert found[number].scores["0"].sum() == pytest.approx(wanted, abs=1e-3)


def test_single_logits_are_not_taken_for_probabilities_when_what_is_left_is_small():
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        for layer, weight, bias in ((model[0], [[1.0], [-1.0]], [0.0, 0.0]), (model[2], [[4.0, -4.0]], [0.3])):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    x = torch.linspace(-1, 1, 20)[:, None]
    found = nissl.structure(model, (x, (x[:, 0] > 0).long()), 1, by="exact_ablation", size=1.0, **QUIET)
    gone = Trial(found.case).run(found.delete(to="zero"))  # leaves 0.3, which speaks for class 1
    assert np.nanmean(gone.right) == 0.5
    assert gone.right[-1] == 1


def test_probabilities_are_taken_for_what_they_are(learnt, family):
    model, x, y = learnt
    whole = nn.Sequential(*model, nn.Softmax(1))
    for by in ("attribution_patching", "exact_ablation"):
        before = nissl.structures(model, (x, y), by=by, baseline="mean", **QUIET)
        after = nissl.structures(whole, (x, y), by=by, baseline="mean", layers=["0", "2"], **QUIET)
        for target in before:
            for name in ("0", "2"):
                np.testing.assert_allclose(
                    after[target].scores[name], before[target].scores[name], rtol=0.02, atol=0.02
                )


def test_tokens_and_heads():
    model = Transformer((6,), 8, layers=1, width=16, heads=4, every=True).build()
    tokens = torch.randint(8, (24, 6))
    found = nissl.structures(model, (tokens, torch.roll(tokens, -1, 1)), classes=8, by="secant", pairs=1, **QUIET)
    assert set(found[0].scores) == {"blocks.0.attention", "blocks.0.up"}
    assert len(found[0].scores["blocks.0.attention"]) == 4
    before = model(tokens)
    one = next(iter(found.values()))
    with one.keep(), torch.no_grad():
        assert not torch.allclose(model(tokens), before)
    assert torch.equal(model(tokens), before)


@pytest.mark.parametrize("plan", [Resnet20((3, 8, 8), 3), SimpleNet((3, 32, 32), 3)], ids=["resnet", "simple"])
def test_convolutions(plan):
    torch.manual_seed(0)
    model = plan.build().eval()
    x, y = torch.randn(9, *plan.shape), torch.arange(9) % 3
    found = nissl.structure(model, (x, y), 1, by="attribution_patching", baseline="mean", size=0.05, **QUIET)
    assert 0 < len(found) == round(0.05 * sum(found.every().values()))
    with torch.no_grad():
        before = model(x)
        with found.delete():
            assert (model(x) - before).abs().max() > 0
        assert torch.equal(model(x), before)


@pytest.mark.parametrize(("change", "asked", "said"), [
    (lambda x, y: (x, y[:9]), {}, "160 inputs and 9 labels"),
    (lambda x, y: (x, y + 1), {}, "labels up to 4, but the network has 4 outputs"),
    (lambda x, y: (x[y != 1], y[y != 1]), {}, "class 1 does not occur in the data; there are examples of: 0, 2, 3"),
    (lambda x, y: (x, np.array(list("abcd"))[y]), {}, "number of its class"),
    (lambda x, y: (x, y), {"seed": -1}, "seed=-1"),
    (lambda x, y: (x, y), {"size": None}, "size=None"),
    (lambda x, y: (x, y), {"causal": True}, "Its options are: pairs"),
])  # fmt: skip
def test_data_and_options_that_cannot_be_meant(learnt, change, asked, said):
    model, x, y = learnt
    with pytest.raises(BadValue, match=said):
        nissl.structure(model, change(x, y), 1, **QUIET, **asked)


def test_classes_given_as_floats_are_warned_of(learnt):
    model, x, y = learnt
    with pytest.warns(NisslWarning, match="if they are classes, give whole numbers"):
        assert nissl.structure(model, (x, y.float()), 1, **QUIET).target == "output 1"


def test_all_classes_of_a_regression_are_none(learnt):
    model, x, _ = learnt
    with pytest.raises(BadValue, match=r"nissl\.structure\(model, data, target=NUMBER\), 0 to 3"):
        nissl.structures(model, (x, torch.rand(160, 4)), **QUIET)


def test_inference_mode_is_named(learnt):
    model, x, y = learnt
    with torch.inference_mode(), pytest.raises(BadValue, match="inference_mode"):
        nissl.structure(model, (x, y), 1, **QUIET)
