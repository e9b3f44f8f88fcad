"""What methods find, against the same worked out by hand."""

from dataclasses import dataclass
from itertools import pairwise, permutations, product
from math import factorial
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.core.finder import Finder, finder
from nissl.core.network import network
from nissl.core.question import asked
from nissl.errors import BadValue, NisslError, Unsupported
from nissl.models.transformer import Transformer


def mlp(*sizes):
    torch.manual_seed(2)
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1]).double()


@pytest.fixture(scope="module")
def given():
    """A model, inputs, classes."""
    torch.manual_seed(3)
    return mlp(5, 7, 6, 4), torch.randn(20, 5, dtype=torch.float64), torch.arange(20) % 4


def case_of(given, by, target=None, **options):
    model, x, y = given
    made = finder(by, options.pop("options", {}))
    case = asked(network(model), (x, y), target, **{"baseline": made.baselines[0], **options})
    return case, made(case)


def odds(out, y):
    """Of each row's class."""
    rest = out.masked_fill(F.one_hot(y, out.shape[1]).bool(), -torch.inf)
    return out.gather(1, y[:, None])[:, 0] - torch.logsumexp(rest, 1)


def inner(model, x):
    first = torch.relu(model[0](x))
    return {"0": first, "2": torch.relu(model[2](first))}


def rest_of(model, name, value):
    return model[4](torch.relu(model[2](value)) if name == "0" else value)


def cut(model, x, chosen, to):
    """Outputs with these units (layer, number) replaced, by hooks."""

    def hook(name):
        def replace(module, args, out):
            out = out.clone()
            for layer, unit in chosen:
                if layer == name:
                    out[:, unit] = to[name][..., unit]
            return out

        return replace

    handles = [model[int(name) + 1].register_forward_hook(hook(name)) for name in ("0", "2")]
    try:
        with torch.no_grad():
            return model(x)
    finally:
        for handle in handles:
            handle.remove()


def there(given, case, baseline):
    """What stands in the place of values, by layer."""
    model, x, _ = given
    with torch.no_grad():
        values = inner(model, x)
        if baseline == "counterfactual":
            return inner(model, x[case.counterfactuals(0)])
    return {name: value.mean(0) * (baseline == "mean") for name, value in values.items()}


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


def test_shapley_values_of_four_units_are_those_of_all_orders():
    model = mlp(3, 2, 2, 2)
    x, y = torch.randn(6, 3, dtype=torch.float64), torch.arange(6) % 2
    players = [("0", 0), ("0", 1), ("2", 0), ("2", 1)]
    given = (model, x, y)
    case, _ = case_of(given, "shapley", options={"permutations": 1})
    to, wanted = there(given, case, "mean"), torch.zeros(6, 4, dtype=torch.float64)
    for order in permutations(range(4)):
        came, before = [], odds(cut(model, x, players, to), y)
        for player in order:
            came.append(player)
            after = odds(cut(model, x, [p for i, p in enumerate(players) if i not in came], to), y)
            wanted[:, player] += (after - before) / factorial(4)
            before = after
    for many, close in ((60, 0.25), (3, None)):
        for antithetic in (True, False):
            found = case_of(given, "shapley", options={"permutations": many, "antithetic": antithetic})[1]
            rows = np.concatenate([found.rows["0"], found.rows["2"]], 1)
            np.testing.assert_allclose(rows.sum(1), wanted.sum(1), atol=1e-12)  # whatever was drawn
            if close:
                assert np.abs(rows - wanted.numpy()).max() < close * wanted.abs().max()


def test_truncation_leaves_out_what_comes_late(given):
    loose = case_of(given, "shapley", options={"permutations": 4, "truncation": 0.9})[1]
    exact = case_of(given, "shapley", options={"permutations": 4})[1]
    for name in exact.rows:
        assert (loose.rows[name] == 0).sum() > (exact.rows[name] == 0).sum()


def test_masks_find_the_units_of_a_class():
    """Three classes with two units each behind them; two units serve all."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.cat([torch.eye(3).repeat_interleave(2, 0), torch.ones(2, 3)]))
        model[0].bias.zero_()
        model[2].weight.copy_(torch.cat([4 * torch.eye(3).repeat_interleave(2, 0), torch.zeros(2, 3)]).T)
        model[2].bias.zero_()
    y = torch.arange(30) % 3
    x = F.one_hot(y, 3).double() + 0.1 * torch.rand(30, 3, dtype=torch.float64)
    for mode, metric in product(("delete", "keep"), ("logodds", "logit")):
        options = {"mode": mode, "steps": 60, "rate": 0.1, "sparsity": 1.0}
        _, found = case_of((model, x, y), "learned_mask", options=options, metric=metric, baseline="zero")
        for target, row in enumerate(found.rows["0"]):
            own = np.repeat(np.arange(3), 2) == target
            assert row[:6][own].max() > 0.4, (mode, metric)
            assert row[:6][~own].max() < 0.2, (mode, metric)
            np.testing.assert_allclose(row[6:], 0, atol=0.02)


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


@dataclass(frozen=True)
class Counted(Finder):
    """Counts how often it is asked."""

    baselines: ClassVar[tuple[str, ...]] = ("mean",)
    asked: ClassVar[list] = []

    def each(self, case, part):
        self.asked.append(len(part))
        return {layer.name: np.ones((len(part), layer.units)) for layer in case.layers}


def test_all_classes_cost_one_search(given):
    model, x, y = given
    Counted.asked.clear()
    assert len(nissl.structures(model, (x, y), by=Counted(), progress=False)) == 4
    assert Counted.asked == [20]


# edges


@pytest.mark.parametrize("by", ["attribution_patching", "secant", "input_gradients", "integrated_gradients"])
def test_edges_into_a_layer_add_up_to_what_passes_there(given, by):
    """With a linear aim, what reaches a unit of the last hidden layer is its deviation before its nonlinearity times its slope."""
    model, x, y = given
    case, _ = case_of(given, by, metric="logit")
    told = finder(by, {}).edges(case, np.arange(20), [("0", "2")])["0", "2"]
    with torch.no_grad():
        other = x[case.counterfactuals(0)] if case.baseline == "counterfactual" else None
        here = inner(model, x)["0"]
        away = here - (here.mean(0) if other is None else inner(model, other)["0"])
        before = model[2](here)
        slope = (before > 0).double()
        if by == "secant":
            moved = before - model[2](inner(model, other)["0"])
            slope = (torch.relu(before) - torch.relu(before - moved)) / moved
        if by == "input_gradients":
            slope = sum(
                weight / 2 * (model[2](inner(model, other + (node + 1) / 2 * (x - other))["0"]) > 0)
                for node, weight in zip(*np.polynomial.legendre.leggauss(5), strict=True)
            )
        wanted = away[:, :, None] * model[2].weight.T[None] * (slope * model[4].weight[y])[:, None, :]
    np.testing.assert_allclose(told, wanted, atol=1e-10)


def test_a_structure_has_the_edges_of_its_method(given):
    model, x, y = given
    found = nissl.structure(model, (x, y), 2, by="input_gradients", size=0.5, progress=False)
    case, mine = found.case, np.flatnonzero(y.numpy() == 2)
    told = finder("input_gradients", {}).edges(case, mine, [("0", "2")])["0", "2"]
    assert found.edges
    for edge in found.edges:
        assert (edge.source, edge.source_unit) in found and (edge.target, edge.target_unit) in found
        assert edge.signed == pytest.approx(told[:, edge.source_unit, edge.target_unit].mean())
        assert edge.absolute == pytest.approx(np.abs(told[:, edge.source_unit, edge.target_unit]).mean())
    sizes = [edge.absolute for edge in found.edges]
    assert sizes == sorted(sizes, reverse=True)
