"""The induction circuit: its truth by its weights, and whom saturation, backup and decoys defeat."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from math import factorial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nissl.core.network import network
from nissl.errors import BadValue
from nissl.testing.truths.induction import HEADS, SIZE, induction
from nissl.testing.truths.truth import Truth
from tests.truths.agreement import disjoint, holds

LAYERS = ("first", "second")
KEYS, QUERIES, VALUES = (slice(kind, None, 3) for kind in range(3))
"""Which counterfactuals differ by the earlier A, by the last A, and by B."""


class Case:
    """A truth with all its values for the inputs and for their counterfactuals; heads as (example, place, head, dimension)."""

    def __init__(self, truth: Truth):
        self.truth, self.model, self.y = truth, truth.model, torch.tensor(truth.y)
        self.x, self.others = torch.tensor(truth.x), torch.tensor(truth.others)
        self.before = self.score(self.x)
        self.values, self.slopes = self.listen(self.x)
        self.other_values, _ = self.listen(self.others)
        (self.head,) = truth.units["next"]["second"]

    def score(self, x: Tensor) -> Tensor:
        """How far the true token's logit lies above all logits' mean."""
        out = self.model(x)
        return out[torch.arange(len(out)), self.y] - out.mean(1)

    def listen(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Values of heads, queries, keys and values, and the score's gradients with respect to them."""
        seen: dict[str, Tensor] = {}
        with ExitStack() as stack:
            for layer, part in product(LAYERS, ("q_proj", "k_proj", "v_proj", "out_proj")):
                stack.enter_context(hooked(self.model, layer, part, lambda v, name: seen.setdefault(name, v)))
            score = self.score(x)
        slopes = torch.autograd.grad(score.sum(), list(seen.values()))
        shapes = {name: value.detach().unflatten(-1, (HEADS, SIZE)) for name, value in seen.items()}
        return shapes, {n: s.unflatten(-1, (HEADS, SIZE)) for n, s in zip(seen, slopes, strict=True)}

    def patched(self, *places: tuple[str, int]) -> Tensor:
        """What is lost, for each example, when these heads' values are as for the counterfactual."""

        def swap(value: Tensor, name: str) -> Tensor:
            value = value.unflatten(-1, (HEADS, SIZE)).clone()
            for at, head in places:
                if at == name:
                    value[:, :, head] = self.other_values[name][:, :, head]
            return value.flatten(-2)

        with ExitStack() as stack, torch.no_grad():
            for name in {name for name, _ in places}:
                layer, _, part = name.partition(".")
                stack.enter_context(hooked(self.model, layer, part or "out_proj", swap))
            return self.before.detach() - self.score(self.x)

    def attributed(self, name: str, head: int) -> Tensor:
        """The same by the gradient: attribution patching."""
        away = self.values[name] - self.other_values[name]
        return (away * self.slopes[name])[:, :, head].sum((1, 2))

    def scores(self, method: str) -> dict[str, np.ndarray]:
        measure = {"exact": lambda n, h: self.patched((n, h)), "patching": self.attributed}[method]
        return {name: np.array([float(measure(name, h).abs().mean()) for h in range(HEADS)]) for name in LAYERS}

    def pattern(self, layer: str, query: Tensor, key: Tensor) -> Tensor:
        """Attention: (example, head, place, place seen)."""
        scores = torch.einsum("eihd,ejhd->ehij", query, key)
        return torch.softmax(scores + self.model.get_submodule(layer).later, -1)


@contextmanager
def hooked(model: nn.Module, layer: str, part: str, told) -> Iterator[None]:
    """`told` hears, and may replace, what a projection makes, or what heads hand to `out_proj`; these are named by layer."""
    module = model.get_submodule(f"{layer}.{part}")
    if part == "out_proj":
        handle = module.register_forward_pre_hook(lambda _, given: (told(given[0], layer),))
    else:
        handle = module.register_forward_hook(lambda _, given, made: told(made, f"{layer}.{part}"))
    with handle:
        yield


@pytest.fixture(scope="module", params=[0, 1])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(induction(request.param))


def test_the_network_is_what_it_says() -> None:
    truth = holds(induction)
    assert disjoint(truth)
    net = network(truth.model)
    assert (net.forward(truth.x).argmax(1) == truth.y).all()
    assert (net.forward(truth.others).argmax(1) != truth.y).all()
    assert ((truth.x != truth.others).sum(1) == 1).all()
    with net.watch(lambda *_: None, "*"):
        truth.model(torch.tensor(truth.x[:2]))
    heard = {(source, layer.name) for layer in net.layers for source in layer.inputs}
    assert heard == set(truth.wired) and len(truth.wired) == 20
    assert [(net.layer(name).units, net.layer(name).unit) for name in LAYERS] == [(HEADS, "head")] * 2
    with pytest.raises(BadValue, match="more than 0"):
        induction(sharpness=0)


def test_weights_off_the_true_edges_are_not_needed_and_those_on_them_are() -> None:
    truth, model = induction(), induction().model
    keep = {name: torch.zeros_like(m.weight) for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    for source, unit, later, reached in truth.edges["next"]:
        if later in keep:  # what a head hears of its queries, keys and values bears no weight
            units = range(unit * SIZE, (unit + 1) * SIZE) if source in LAYERS else [unit]
            keep[later][reached, list(units)] = 1
    kept = Case(truth).before
    for name, mask in keep.items():
        if name not in ("first.q_proj", "first.k_proj"):  # these hear places
            model.get_submodule(name).weight.data *= mask
    torch.testing.assert_close(Case(Truth(model, truth.x, truth.y, truth.units, others=truth.others)).before, kept)
    for source, name in {(s, n) for s, _, n, _ in truth.edges["next"] if n in keep}:
        cut = induction().model
        for unit, reached in [(u, r) for s, u, n, r in truth.edges["next"] if (s, n) == (source, name)]:
            units = range(unit * SIZE, (unit + 1) * SIZE) if source in LAYERS else [unit]
            cut.get_submodule(name).weight.data[reached, list(units)] = 0
        assert (cut(torch.tensor(truth.x)).argmax(1) != torch.tensor(truth.y)).float().mean() > 0.8, name


def test_decoys_and_resting_heads_count_for_nothing(case: Case) -> None:
    net, before = network(case.model), case.before.detach()
    for trap in ("decoys", "resting"):
        for layer, heads in case.truth.traps[trap].items():
            with net.change(layer, sorted(heads), to=0.0), torch.no_grad():
                torch.testing.assert_close(case.score(case.x), before)


def test_gradients_stop_at_saturated_attention_where_patching_does_not(case: Case) -> None:
    for name, rows in (("second.q_proj", QUERIES), ("second.k_proj", KEYS)):
        assert case.patched((name, case.head))[rows].min() > 9
        assert case.attributed(name, case.head)[rows].abs().max() < 1e-3
    assert case.patched(("second.v_proj", case.head))[VALUES].min() > 9
    torch.testing.assert_close(
        case.attributed("second.v_proj", case.head)[VALUES], case.patched(("second.v_proj", case.head))[VALUES]
    )
    found = case.truth.judged("next", case.scores("patching"))
    assert found.r_precision < 0.8
    assert all(case.attributed("first", head).abs().max() < 1e-3 for head in case.truth.traps["saturated"]["first"])


def test_it_is_saturation_that_stops_them() -> None:
    soft = Case(induction(sharpness=2.0))
    assert all(soft.attributed("first", head)[KEYS].mean() > 0.5 for head in soft.truth.traps["saturated"]["first"])
    assert soft.truth.judged("next", soft.scores("patching")).r_precision == 1


def test_recomputed_attention_finds_queries_and_keys(case: Case) -> None:
    now, other = (
        {part: values[f"second.{part}_proj"] for part in "qkv"} for values in (case.values, case.other_values)
    )
    pattern = case.pattern("second", now["q"], now["k"])
    changed = {
        "q": case.pattern("second", other["q"], now["k"]),
        "k": case.pattern("second", now["q"], other["k"]),
    }
    for part, rows in (("q", QUERIES), ("k", KEYS)):
        moved = torch.einsum("ehij,ejhd->eihd", pattern - changed[part], now["v"])
        found = (moved * case.slopes["second"]).sum((1, 3)).abs()[rows].mean(0)
        assert found.argmax() == case.head and found[case.head] > 9
        assert found[[head for head in range(HEADS) if head != case.head]].max() < 1e-3


def test_the_backup_hides_either_head_from_single_cuts(case: Case) -> None:
    both = [("first", head) for head in case.truth.traps["backed up"]["first"]]
    for place in both:
        assert case.patched(place).abs().max() < 1e-3
    assert case.patched(*both)[KEYS].min() > 9
    assert case.truth.judged("next", case.scores("exact")).r_precision < 0.8


def test_shapley_finds_all_three() -> None:
    case = Case(induction(examples=15))
    places = list(product(LAYERS, range(HEADS)))
    lost = {}
    for chosen in product((0, 1), repeat=len(places)):
        lost[chosen] = float(case.patched(*(p for p, c in zip(places, chosen, strict=True) if c)).mean())
    found = {name: np.zeros(HEADS) for name in LAYERS}
    for i, (name, head) in enumerate(places):
        for chosen in (c for c in lost if not c[i]):
            share = factorial(sum(chosen)) * factorial(len(places) - 1 - sum(chosen)) / factorial(len(places))
            found[name][head] += share * (lost[(*chosen[:i], 1, *chosen[i + 1 :])] - lost[chosen])
    judged = case.truth.judged("next", found)
    assert judged.r_precision == 1 and judged.trapped["decoys"] == 0
    assert sum(map(np.sum, found.values())) == pytest.approx(lost[(1,) * len(places)])


def test_patterns_and_activations_mark_decoys(case: Case) -> None:
    looks = case.pattern("first", case.values["first.q_proj"], case.values["first.k_proj"])
    before = looks.diagonal(-1, 2, 3).mean((0, 2))
    differs = {name: (case.values[name] - case.other_values[name]).norm(dim=-1).mean((0, 1)) for name in LAYERS}
    for head in case.truth.traps["decoys"]["first"]:
        assert before[head] > 0.99
    found = case.truth.judged("next", {name: value.numpy() for name, value in differs.items()})
    assert found.trapped["decoys"] > 0.3


def test_resting_heads_defeat_the_gradient_from_zero(case: Case) -> None:
    case = Case(case.truth)
    case.score = lambda x: case.model(x)[torch.arange(len(x)), case.y]
    values, slopes = case.listen(case.x)
    scores = {name: (values[name] * slopes[name]).sum((1, 3)).mean(0).abs().numpy() for name in LAYERS}
    assert case.truth.judged("next", scores).trapped["resting"] == pytest.approx(2 / 3)
