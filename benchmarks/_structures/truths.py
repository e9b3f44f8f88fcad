"""Networks whose structures are known: the default method, and beside it the naive ones that each trap defeats."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import nissl
from _structures.digits import Row, medians
from nissl.core.finder import finder
from nissl.core.question import asked
from nissl.core.wiring import tables
from nissl.testing.truths.blocks import blocks
from nissl.testing.truths.circuits import circuits
from nissl.testing.truths.induction import induction
from nissl.testing.truths.traps import traps

METHODS = (
    "secant", "attribution_patching", "integrated_gradients", "exact_ablation", "gradient_activation", "contrast", "selectivity",
    "magnitude", "random",
)  # fmt: skip


def rows(quick: bool) -> Iterator[Row]:
    seeds = range(1 if quick else 3)
    yield trapped(seeds)
    yield trained(seeds)
    yield wired(seeds)
    yield saturated(seeds)


def trapped(seeds: Sequence[int]) -> Row:
    """By absolute scores of the logit, since pathways there have members that inhibit."""
    said: dict[str, list[float]] = {}
    for seed in seeds:
        judge(traps(seed), "absolute", "logit", said)
    return "GT1, traps wired by hand", "secant: R-precision >= .99, 0 decoys among the first", medians(said)


def trained(seeds: Sequence[int]) -> Row:
    said: dict[str, list[float]] = {}
    for seed in seeds:
        judge(blocks(seed, leak=0.1), "contrast", "logodds", said)
    return "GT2, trained blocks, leak .1", "secant: AUC >= .94, R-precision >= .87", medians(said)


def judge(truth: Any, rank: str, metric: str, said: dict[str, list[float]]) -> None:
    layers = list(next(iter(truth.units.values())))
    for by in METHODS:
        baseline = {"exact_ablation": "mean"}.get(by)
        found = nissl.structures(
            truth.model, (truth.x, truth.y), by=by, baseline=baseline, metric=metric, rank=rank, layers=layers
        )
        judged = [truth.judged(k, found[name].ranking) for k, name in enumerate(found)]
        said.setdefault(f"{by}: AUC", []).append(float(np.mean([one.auc for one in judged])))
        said.setdefault(f"{by}: R-precision", []).append(float(np.mean([one.r_precision for one in judged])))
        decoys = [one.trapped.get("decoys", 0.0) for one in judged]
        said.setdefault(f"{by}: decoys among the first", []).append(float(np.mean(decoys)))


def wired(seeds: Sequence[int]) -> Row:
    """Edges of compiled circuits, output by output: each of the outputs that are 1 somewhere and 0 elsewhere."""
    said: dict[str, list[float]] = {}
    for seed in seeds:
        truth = circuits(seed)
        found: dict[str, list[float]] = {}
        for output in truth.edges:
            for by, baseline in (("secant", "counterfactual"), ("attribution_patching", "mean")):
                signed, absolute = edge_scores(truth, output, by, baseline)
                found.setdefault(f"{by}: AP", []).append(truth.judged_edges(output, absolute).average_precision)
                plain = {pair: np.abs(table) for pair, table in signed.items()}
                found.setdefault(f"{by}, signed sum: AP", []).append(
                    truth.judged_edges(output, plain).average_precision
                )
            found.setdefault("|weight|: AP", []).append(truth.judged_edges(output, weights(truth)).average_precision)
        for name, values in found.items():
            said.setdefault(name, []).append(float(np.mean(values)))
    return "GT3, compiled circuits: edges, at 2F+1B", "AP >= .98", medians(said)


def edge_scores(truth: Any, output: int, by: str, baseline: str) -> tuple[dict[Any, Any], dict[Any, Any]]:
    net = nissl.network(truth.model)
    names = [layer.name for layer in net.layers]
    case = asked(net, (truth.x, truth.y), target=output, baseline=baseline, layers=names)
    found = tables(case, finder(by, {}), None, truth.wired)
    return {pair: signed for pair, (signed, _) in found.items()}, {pair: size for pair, (_, size) in found.items()}


def weights(truth: Any) -> dict[Any, Any]:
    net = nissl.network(truth.model)
    return {(source, target): np.abs(net.weights(target)["weight"]).T for source, target in truth.wired}


def saturated(seeds: Sequence[int]) -> Row:
    """Heads of an induction circuit whose attention is as good as one and zero; what is compared breaks the repetition."""
    said: dict[str, list[float]] = {}
    for seed in seeds:
        truth = induction(seed)
        layers = list(truth.units["next"])
        for by in ("secant", "attribution_patching", "gradient_activation", "exact_ablation"):
            given = {} if by == "gradient_activation" else {"baseline": "counterfactual", "others": truth.others}
            found = nissl.structure(
                truth.model, (truth.x, truth.y), "label", by=by, metric="logit", layers=layers, rank="absolute", **given
            )
            judged = truth.judged("next", found.ranking)
            said.setdefault(f"{by}: R-precision of heads", []).append(judged.r_precision)
        for by in ("secant", "attribution_patching"):
            net = nissl.network(truth.model)
            names = [layer.name for layer in net.layers]
            case = asked(
                net, (truth.x, truth.y), "label", baseline="counterfactual", metric="logit", layers=names, others=truth.others
            )  # fmt: skip
            sizes = {pair: size for pair, (_, size) in tables(case, finder(by, {}), None, truth.wired).items()}
            said.setdefault(f"{by}: AP of edges", []).append(truth.judged_edges("next", sizes).average_precision)
    return (
        "GT5, saturated induction heads",
        "secant finds the heads and their edges; the plain gradient misses them",
        medians(said),
    )
