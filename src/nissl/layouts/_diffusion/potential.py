"""Where many small steps along a kernel lead, as logarithms: near by every path is near."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = NDArray[Any]
GATHERING = 6
"""Steps after which each point belongs to the landmark that it is most likely at."""
MOST, LEAST = 100, 1e-7
"""Of steps, and of a likelihood that is told from none."""


def potentials(kernel: "csr_array", landmarks: NDArray[np.intp], power: int | None) -> Array:
    """(point, landmark): minus the logarithm of how likely steps from a point end in a landmark's surroundings."""
    step = kernel.multiply(1 / kernel.sum(1)[:, None]).tocsr()
    held = np.zeros((kernel.shape[0], len(landmarks)), np.float32)
    held[landmarks, np.arange(len(landmarks))] = 1
    for _ in range(GATHERING if len(held) > len(landmarks) else 0):
        held = step @ held
    whose = held.argmax(1)
    held[:] = 0
    held[np.arange(len(held)), whose] = 1
    for _ in range(_knee(kernel, held) if power is None else power):
        held = step @ held
    np.log(np.add(held, LEAST, out=held), out=held)
    return -held


def _knee(kernel: "csr_array", grouped: Array) -> int:
    """The number of steps after which the von Neumann entropy of steps between landmarks' surroundings stops falling fast."""
    between = (grouped.T @ (kernel @ grouped)).astype(float)
    size = np.sqrt(np.maximum(between.sum(1), LEAST))
    strength = np.clip(np.linalg.eigvalsh(between / size / size[:, None]), 0, 1)
    share = np.power(strength, np.arange(1.0, MOST + 1)[:, None])
    share /= share.sum(1, keepdims=True)
    entropy = -(share * np.log(np.maximum(share, 1e-300))).sum(1)
    fallen = (entropy - entropy.min()) / max(float(np.ptp(entropy)), 1e-12)
    return int((fallen + np.linspace(0, 1, MOST)).argmin()) + 1
