"""What methods find by gradients and cuts, and what naive ones say, against the same worked out by hand."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.errors import BadValue, NisslError, Unsupported
from nissl.models.transformer import Transformer
from tests.finders.by_hand import case_of, cut, example, inner, odds, rest_of, there


@pytest.fixture(scope="module")
def given():
    return example()


@pytest.mark.parametrize("baseline", ["mean", "zero", "counterfactual"])
def test_attribution_patching(given, baseline):
    model, x, y = given
    case, found = case_of(given, "attribution_patching", baseline=baseline)
    values = inner(model, x)
    slopes = torch.autograd.grad(odds(rest_of(model, "0", values["0"]), y).sum(), values["0"])[0]
    late = values["2"].detach().requires_grad_()
    slopes = {"0": slopes, "2": torch.autograd.grad(odds(model[4](late), y).sum(), late)[0]}
    for name, to in there(given, case, baseline).items():
        np.testing.assert_allclose(found.rows[name], ((values[name] - to) * slopes[name]).detach(), atol=1e-12)


@pytest.mark.parametrize("baseline", ["mean", "zero", "counterfactual"])
def test_exact_ablation(given, baseline):
    model, x, y = given
    case, found = case_of(given, "exact_ablation", baseline=baseline)
    to = there(given, case, baseline)
    for name, rows in found.rows.items():
        for unit in range(rows.shape[1]):
            wanted = odds(model(x), y) - odds(cut(model, x, [(name, unit)], to), y)
            np.testing.assert_allclose(rows[:, unit], wanted.detach(), atol=1e-12)


def test_secants_are_deeplift_by_its_rescale_rule(given):
    model, x, y = given
    case, found = case_of(given, "secant", options={"pairs": 2}, target=None, metric="logit")
    wanted = {"0": 0, "2": 0}
    with torch.no_grad():
        for turn in range(2):
            other = x[case.counterfactuals(turn)]
            here, away = inner(model, x), inner(model, other)
            last = model[4].weight[y]
            before = model[2](here["0"]) - model[2](away["0"])
            chord = torch.where(before.abs() > 1e-12, (here["2"] - away["2"]) / before, 0)
            wanted["2"] += (here["2"] - away["2"]) * last / 2
            wanted["0"] += (here["0"] - away["0"]) * ((last * chord) @ model[2].weight) / 2
    for name, rows in found.rows.items():
        np.testing.assert_allclose(rows, wanted[name], atol=1e-10)


def test_integrated_gradients_are_the_integral_and_add_up(given):
    model, x, y = given
    case, found = case_of(given, "integrated_gradients", options={"steps": 40})
    with torch.no_grad():
        values, to = inner(model, x), there(given, case, "mean")
        for name, rows in found.rows.items():
            whole, nothing = (rest_of(model, name, v) for v in (values[name], to[name].expand_as(values[name])))
            np.testing.assert_allclose(rows.sum(1), odds(whole, y) - odds(nothing, y), atol=5e-3)
    shares = (torch.arange(2000) + 0.5) / 2000
    way = (to["2"] + shares[:, None] * (values["2"][0] - to["2"])).requires_grad_()
    slope = torch.autograd.grad(odds(model[4](way), y[:1].expand(2000)).sum(), way)[0].mean(0)
    np.testing.assert_allclose(found.rows["2"][0], (values["2"][0] - to["2"]) * slope, atol=1e-6)


def test_input_gradients_go_along_the_inputs(given):
    model, x, y = given
    case, found = case_of(given, "input_gradients", options={"steps": 3})
    other, total = x[case.counterfactuals(0)], 0
    for node, weight in zip(*np.polynomial.legendre.leggauss(3), strict=True):
        value = inner(model, other + (node + 1) / 2 * (x - other))["0"]
        total += weight / 2 * torch.autograd.grad(odds(rest_of(model, "0", value), y).sum(), value)[0]
    with torch.no_grad():
        wanted = (inner(model, x)["0"] - inner(model, other)["0"]) * total
    np.testing.assert_allclose(found.rows["0"], wanted, atol=1e-12)


def test_tokens_go_their_way_as_embeddings():
    torch.manual_seed(0)
    model = Transformer((5,), 6, layers=1, width=8, heads=2).build().double()
    tokens, y = torch.randint(6, (12, 5)), torch.arange(12) % 3
    case, found = case_of((model, tokens, y), "input_gradients", options={"steps": 30}, classes=6, metric="logit")
    with torch.no_grad():
        logits = [model(t)[range(12), y] for t in (tokens, tokens[case.counterfactuals(0)])]
    last = found.rows["blocks.0.up"]
    assert np.isfinite(last).all() and last.any()
    embedded = case_of(
        (model, tokens, y), "input_gradients", layers=["embed"], options={"steps": 30}, classes=6, metric="logit"
    )
    np.testing.assert_allclose(embedded[1].rows["embed"].sum(1), logits[0] - logits[1], atol=1e-5)

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(12, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.last(torch.relu(self.first(F.one_hot(x, 6).float().flatten(1))))

    with pytest.raises(Unsupported, match="no embedding"):
        case_of((Counting(), torch.randint(6, (8, 2)), torch.arange(8) % 2), "input_gradients")


def test_naive_scores_are_what_they_say(given):
    model, x, y = given
    values = inner(model, x)["2"].detach()
    own, rest = values[y == 1].mean(0), torch.stack([values[y == k].mean(0) for k in (0, 2, 3)]).mean(0)
    found = {by: case_of(given, by)[1] for by in ("contrast", "selectivity", "magnitude", "gradient_activation")}
    np.testing.assert_allclose(found["contrast"].rows["2"][y == 1].mean(0), own - rest, atol=1e-12)
    wanted = torch.where(own + rest > 0, (own - rest) / (own + rest), 0)
    np.testing.assert_allclose(found["selectivity"].rows["2"][1], wanted, atol=1e-12)
    np.testing.assert_allclose(found["magnitude"].rows["2"][0], model[2].weight.detach().norm(dim=1), atol=1e-12)
    zero = case_of(given, "attribution_patching", baseline="zero")[1]
    np.testing.assert_array_equal(found["gradient_activation"].rows["2"], zero.rows["2"])
    pair = case_of(given, "contrast", target=(1, 3))[1]
    np.testing.assert_allclose(pair.rows["2"].mean(0), own - values[y == 3].mean(0), atol=1e-12)


def test_random_scores_differ_by_target_and_by_seed(given):
    first, again, other = (case_of(given, "random", seed=seed)[1].rows["2"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert len({row.tobytes() for row in (*first, *other)}) == 8


def test_what_methods_can_not_do_is_said(given):
    model, x, _ = given
    with pytest.raises(BadValue, match="between classes"):
        case_of((model, x, torch.randn(20, 1)), "contrast", target=0)
    single = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    for by, options, said in [
        ("shapley", {"permutations": 0}, "permutations=0"), ("shapley", {"truncation": 1.0}, "truncation=1.0"),
        ("integrated_gradients", {"steps": 0}, "steps=0"), ("secant", {"pairs": 0}, "pairs=0"),
        ("learned_mask", {"mode": "drop"}, "delete"), ("learned_mask", {"rate": 0}, "rate"),
        ("shapley", {"orders": 3}, "permutations"), ("secants", {}, "secant"),
    ]:  # fmt: skip
        with pytest.raises(NisslError, match=said):
            nissl.structure(single, (x, torch.arange(20) % 2), 1, by=by, progress=False, **options)
    heads = Transformer((1, 4, 4), 3, layers=1, width=8).build()
    with pytest.raises(Unsupported, match="no weights of their own"):
        nissl.structure(heads, (torch.randn(9, 1, 4, 4), torch.arange(9) % 3), 1, by="magnitude", progress=False)
