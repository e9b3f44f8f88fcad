"""Structures as JSON and as columns: which units, how much each adds, how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.structure import Structure
from nissl.studies._feed.packing import finite

Array = NDArray[Any]
LISTED = 200_000
"""The most units of all structures together; of each then so many as are its share."""
EDGES = 300


def columns(found: Sequence[Structure]) -> tuple[dict[str, Any], dict[str, Array]]:
    """What is said of structures, and their units one after another: layer's place, unit, score, low, high."""
    layers = list(dict.fromkeys(name for one in found for name in one.scores))
    most = LISTED // max(len(found), 1)
    told, rows = [], []
    for one in found:
        units = one.units[:most]
        rows += [(layers.index(unit.layer), *unit[1:]) for unit in units]
        told.append(
            {
                "target": one.target,
                "count": len(one),
                "listed": len(units),
                "score": finite(one.score),
                "causal": one.causal,
            }
        )
    table = np.array(rows, np.float64).reshape(-1, 5)
    kinds = {"layer": np.uint16, "unit": np.uint32, "score": np.float32, "low": np.float32, "high": np.float32}
    total = max((sum(one.every().values()) for one in found), default=0)
    said = {"layers": layers, "total": total, "structures": told, "recipe": recipe(found[0].recipe) if found else {}}
    return said, {name: table[:, place].astype(kind) for place, (name, kind) in enumerate(kinds.items())}


def plain(found: Sequence[Structure]) -> dict[str, Any]:
    """The same as JSON, with the edges of a single one."""
    said, arrays = columns(found)
    lists = {
        name: [finite(value) for value in array] if array.dtype.kind == "f" else array.tolist()
        for name, array in arrays.items()
    }
    return {**said, **lists}


def recipe(given: Mapping[str, Any]) -> dict[str, str]:
    """How they were found, in words."""
    return {name: str(value) for name, value in given.items()}


def edges(one: Structure) -> dict[str, Any]:
    """The strongest; of how many."""
    layers = list(one.scores)
    found = one.edges
    rows = [
        (layers.index(edge.source), edge.source_unit, layers.index(edge.target), edge.target_unit, finite(edge.signed))
        for edge in found[:EDGES]
    ]
    return {"edges": rows, "every_edge": len(found)}
