"""Which units belong together, from their weights alone: those whose weights lie in one small subspace.

Units of one community do not have like weights: they share the few directions that they are made of, at any phase. So
two units whose weights are at right angles may belong together, which is what correlation, and methods that start from
it, can't see. Here every unit looks for the subspace (one for each set of weights, or one for all) that it shares with
the most others; subspaces that many units arrive at are the communities.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

Array = NDArray[Any]
SHARPNESS = 1.5
"""How much more than others do those units count that share most of a subspace; tried from 1 to 4 on circles of known frequency."""
ALIKE = 0.8
"""Subspaces are one where the units' shares in them are as like as this cosine."""
ROUNDS = 100


def communities(weights: Sequence[Any], *, tied: bool = False, dimension: int = 2, seed: int = 0) -> Array:
    """A number for each unit: its community, the largest first.

    `weights`: one or several (unit, weight) arrays: of what comes in, of what goes out. `tied`: all of them are over the
    same things (inputs and outputs of one vocabulary), so that a community has the same subspace in all. `dimension`: of
    these subspaces; 2 for anything periodic.
    """
    vectors = _unit_length(weights, tied=tied)
    shares = _shared(vectors, tied=tied, dimension=dimension, draw=np.random.default_rng(seed))
    kept: list[int] = []
    long = np.linalg.norm(shares, axis=1)
    for unit in np.argsort(-(shares**SHARPNESS).sum(1), kind="stable"):
        alike = shares[kept] @ shares[unit] / (long[kept] * long[unit])
        if not (alike >= ALIKE).any():
            kept.append(int(unit))
    found = shares[kept].argmax(0)
    sizes = np.bincount(found, minlength=len(kept))
    return np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")[found]


def _unit_length(weights: Sequence[Any], *, tied: bool) -> list[Array]:
    found = [np.asarray(array, np.float64) for array in weights]
    if not found or any(array.ndim != 2 or len(array) != len(found[0]) or len(array) < 2 for array in found):
        raise BadValue("communities takes one or several tables (unit, weight) of the same units, two at least.")
    if tied and len({array.shape[1] for array in found}) > 1:
        raise BadValue(
            f"tied=True says that all weights are over the same things, but they are over {[a.shape[1] for a in found]}."
        )
    centred = [array - array.mean(1, keepdims=True) for array in found]
    return [array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-300) for array in centred]


def _shared(vectors: list[Array], *, tied: bool, dimension: int, draw: np.random.Generator) -> Array:
    """(seeking unit, unit): how much of each unit's weights lies in the subspace that the first has arrived at."""
    together = _coherence(vectors, tied=tied)
    weight = together**SHARPNESS
    spaces = [
        np.linalg.qr(draw.normal(size=(len(weight), array.shape[1], min(dimension, array.shape[1]))))[0]
        for array in (vectors[:1] if tied else vectors)
    ]
    shares = together
    for _ in range(ROUNDS):
        for _ in range(2):  # two steps of the power method towards the leading directions of those that count
            spaces = _turned(spaces, vectors, weight, tied=tied)
        shares = sum(
            (np.einsum("sdr,nd->snr", space, array, optimize=True) ** 2).sum(2)
            for space, array in zip(spaces * (len(vectors) if tied else 1), vectors, strict=True)
        ) / len(vectors)  # fmt: skip
        new = shares**SHARPNESS
        if np.abs(new - weight).max() < 1e-6:
            break
        weight = new
    return shares


def _coherence(vectors: list[Array], *, tied: bool) -> Array:
    """How much two units share, whatever the phase: the mean squared cosine between their weights."""
    pairs = [(a, b) for a in vectors for b in vectors] if tied else [(a, a) for a in vectors]
    return np.asarray(sum((a @ b.T) ** 2 for a, b in pairs) / len(pairs))


def _turned(spaces: list[Array], vectors: list[Array], weight: Array, *, tied: bool) -> list[Array]:
    pushed = [
        np.einsum("sn,snr,nd->sdr", weight, np.einsum("sdr,nd->snr", space, array, optimize=True), array, optimize=True)
        for space, array in zip(spaces * (len(vectors) if tied else 1), vectors, strict=True)
    ]
    return [np.linalg.qr(one)[0] for one in ([sum(pushed)] if tied else pushed)]
