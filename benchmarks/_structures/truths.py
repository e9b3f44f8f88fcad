"""Networks whose structures are known: the default method, and beside it the naive ones that each trap defeats."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import nissl
from _structures.digits import Row, medians
from nissl.testing.truths.blocks import blocks
from nissl.testing.truths.traps import traps

METHODS = (
    "secant", "attribution_patching", "integrated_gradients", "exact_ablation", "gradient_activation", "contrast", "selectivity",
    "magnitude", "random",
)  # fmt: skip


def rows(quick: bool) -> Iterator[Row]:
    seeds = range(1 if quick else 3)
    yield trapped(seeds)
    yield trained(seeds)


def trapped(seeds: Sequence[int]) -> Row:
    said: dict[str, list[float]] = {}
    for seed in seeds:
        judge(traps(seed), "absolute", "logit", said)
    return "GT1, traps wired by hand", "secant: R-precision >= .99, 0 decoys among the first", medians(said)


def trained(seeds: Sequence[int]) -> Row:
    said: dict[str, list[float]] = {}
    for seed in seeds:
        judge(blocks(seed, leak=0.1), "score", "logodds", said)
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
