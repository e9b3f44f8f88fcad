"""Distances laid out: landmarks by multidimensional scaling, all others where their distances to landmarks fit best."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.layouts._diffusion.kernel import apart

Array = NDArray[Any]
STEPS, ENOUGH = 300, 1e-5
"""Of stress majorisation at most, and the share of stress that is worth another."""
SETTLING, PIECE = 6, 4000


def scaled(features: Array, landmarks: NDArray[np.intp], dimensions: int) -> Array:
    """(point, dimension), whose distances are as those of features, as far as they can be."""
    known = features[landmarks]
    goal = apart(known.astype(float), known.astype(float))
    np.fill_diagonal(goal, 0)
    fixed = _smacof(goal, _classical(goal, dimensions))
    if len(landmarks) == len(features):
        return fixed
    found = np.empty((len(features), dimensions))
    for first in range(0, len(features), PIECE):
        piece = slice(first, first + PIECE)
        found[piece] = _among(fixed, apart(features[piece], known))
    found[landmarks] = fixed
    return found


def _classical(goal: Array, dimensions: int) -> Array:
    """Principal coordinates; each points to where its largest entry is positive."""
    square = goal**2
    middle = square.mean(0)
    strength, axes = np.linalg.eigh(-0.5 * (square - middle - middle[:, None] + middle.mean()))
    some = min(dimensions, len(goal))
    found = np.zeros((len(goal), dimensions))
    found[:, :some] = axes[:, ::-1][:, :some] * np.sqrt(np.maximum(strength[::-1][:some], 0))
    largest = np.abs(found).argmax(0)
    turned: Array = found * np.where(found[largest, np.arange(dimensions)] < 0, -1, 1)
    return turned


def _smacof(goal: Array, places: Array) -> Array:
    """Stress majorisation (de Leeuw): no step makes it worse."""
    last = np.inf
    for _ in range(STEPS):
        there = apart(places, places)
        np.fill_diagonal(there, 0)
        stress = float(((goal - there) ** 2).sum())
        if last - stress <= ENOUGH * stress:
            break
        pull, last = _pull(goal, there), stress
        places = (pull.sum(1)[:, None] * places - pull @ places) / len(places)
    return places


def _among(fixed: Array, goal: Array) -> Array:
    """Points at these distances (point, landmark) from landmarks that stay: Gauss and Newton's steps, majorisation where one is bad."""
    places = fixed[goal.argmin(1)]
    there = apart(places, fixed)
    for _ in range(SETTLING):
        pull = _pull(goal, there)
        safe = fixed.mean(0) + (pull.sum(1)[:, None] * places - pull @ fixed) / len(fixed)
        bold = places + _newton(places, fixed, there, safe - places)
        beyond = apart(bold, fixed)
        worse = ((goal - beyond) ** 2).sum(1) > ((goal - there) ** 2).sum(1)
        places = np.where(worse[:, None], safe, bold)
        there = np.where(worse[:, None], apart(safe, fixed), beyond)
    return places


def _newton(places: Array, fixed: Array, there: Array, downhill: Array) -> Array:
    """The step that would end it if distances were straight, (point, dimension)."""
    weight = np.divide(1, there**2, out=np.zeros_like(there), where=there > 1e-9 * float(there.max(initial=0)))
    outer = (fixed[:, :, None] * fixed[:, None]).reshape(len(fixed), -1)
    size = places.shape[1]
    cross = (weight @ fixed)[:, :, None] * places[:, None]
    bend = (weight @ outer).reshape(-1, size, size) - cross - cross.transpose(0, 2, 1)
    bend += weight.sum(1)[:, None, None] * (places[:, :, None] * places[:, None])
    found: Array = np.linalg.solve(bend + 1e-3 * len(fixed) * np.eye(size), len(fixed) * downhill[..., None])[..., 0]
    return found


def _pull(goal: Array, there: Array) -> Array:
    return np.divide(goal, there, out=np.zeros_like(there), where=there > 1e-9 * float(there.max(initial=0)))
