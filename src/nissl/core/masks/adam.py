"""Adam, for arrays that stay within bounds."""

from collections.abc import Mapping

import numpy as np

from nissl.core.finder import Array


class Adam:
    """Kingma and Ba's steps, each put back within the bounds."""

    def __init__(self, rate: float, like: Mapping[str, Array], decay: tuple[float, float] = (0.9, 0.95)):
        self._rate, self._decay, self._step = rate, decay, 0
        self._mean = {name: np.zeros_like(array) for name, array in like.items()}
        self._square = {name: np.zeros_like(array) for name, array in like.items()}

    def moved(
        self, arrays: Mapping[str, Array], slopes: Mapping[str, Array], low: float, high: float
    ) -> dict[str, Array]:
        """The arrays one step down."""
        (first, second), found = self._decay, {}
        self._step += 1
        for name, slope in slopes.items():
            self._mean[name] = first * self._mean[name] + (1 - first) * slope
            self._square[name] = second * self._square[name] + (1 - second) * slope**2
            mean = self._mean[name] / (1 - first**self._step)
            root = np.sqrt(self._square[name] / (1 - second**self._step))
            found[name] = np.clip(arrays[name] - self._rate * mean / (root + 1e-8), low, high)
        return found
