"""Jumps of units: how many planted ones are found, how often anything is found where nothing changes."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.core.change.nulls import discoveries
from nissl.core.change.scan import learned, tested

Rows = Iterator[tuple[str, str, dict[str, Any]]]
EPOCHS, UNITS, CLASSES, AT = 30, 100, 10, 18
KINDS = {
    "noise": 3.0,
    "memory 0.6": 4.0,
    "random walk": 4.0,
    "walk and noise": 6.0,
    "learning": 1.0,
    "wild noise": 6.0,
    "wild walk": 12.0,
}
"""How units move, and the root mean square of the shift that a tenth of them gets, in steps."""


def moving(kind: str, rng: np.random.Generator) -> Any:
    """(epoch, unit, class): paths on which nothing changes; what is wild has five degrees of freedom."""
    new = rng.normal(size=(EPOCHS, UNITS, CLASSES))
    if kind.startswith("wild"):
        new /= np.sqrt(rng.chisquare(5, size=(EPOCHS, UNITS, 1)) / 5)
    if kind in ("noise", "wild noise"):
        return new
    if kind == "memory 0.6":
        for at in range(1, EPOCHS):
            new[at] += 0.6 * new[at - 1]
        return new
    if kind == "learning":
        way = 5 * rng.normal(size=(1, UNITS, CLASSES))
        return way * (1 - np.exp(-np.arange(EPOCHS)[:, None, None] / 5)) + 0.05 * new
    return 0.5 * new.cumsum(0) + rng.normal(size=new.shape) if kind == "walk and noise" else new.cumsum(0)


def rows(quick: bool) -> Rows:
    """For each way of moving the power, where it was found, and false alarms."""
    seeds = 1 if quick else 20
    for kind, by in KINDS.items():
        found, near, wrong, alarms, began = [], [], [], [], time.process_time()
        for seed in range(seeds):
            rng = np.random.default_rng([seed, 5])
            alarms.append(bool((_tested(moving(kind, rng), rng)[0] <= 0.05).any()))
            path, tenth = moving(kind, rng), UNITS // 10
            path[AT:, :tenth] += by * rng.normal(size=(tenth, CLASSES))
            q, places = _tested(path, rng)
            found.append(float((q[:tenth] <= 0.05).mean()))
            near += (np.abs(places[:tenth] - AT) <= 1)[q[:tenth] <= 0.05].tolist()
            discovered = int((q <= 0.05).sum())
            wrong.append(float((q[tenth:] <= 0.05).sum() / max(discovered, 1)))
        figures = {
            "traces with any alarm": round(float(np.mean(alarms)), 3), "false discoveries": round(float(np.mean(wrong)), 3),
            "planted found": round(float(np.mean(found)), 3), "of these within an epoch": round(float(np.mean(near)), 3) if near else None,
            "seeds": seeds, "cpu s a trace": round((time.process_time() - began) / seeds / 2, 2),
        }  # fmt: skip
        yield f"jumps of units: {kind}, shift {by:g}", "alarms and false discoveries <= 0.05", figures


def _tested(path: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    law = learned(path, rng)
    assert law is not None
    p, places = tested(path, *law)
    return discoveries(p), places
