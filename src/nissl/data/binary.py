"""Two classes of which it is known what makes them: the minimal proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from nissl.core.dataset import DataSet, Splits
from nissl.data._files.splitting import split
from nissl.errors import BadValue


@dataclass(frozen=True)
class Binary(DataSet):
    """Twenty features whose roles are known, so that what is found in a network can be checked against the truth.

    A straight line does well by the evidence and no better; only a hidden layer can use the interaction too.
    """

    examples: int = 2000
    seed: int = 0
    test_share: float = 0.25

    roles: ClassVar[Mapping[str, range]] = MappingProxyType(
        {
            "for": range(4),  # raised in class 1
            "against": range(4, 8),  # raised in class 0
            "interaction": range(8, 10),  # equal signs in class 1, unequal in class 0; each alone tells nothing
            "copies": range(10, 14),  # mixtures of the evidence with noise: they know the class, and add nothing
            "noise": range(14, 20),
        }
    )

    def load(self) -> Splits:
        if self.examples < 20:
            raise BadValue(f"Binary: {self.examples} examples are too few to learn from; ask for at least 20.")
        random = np.random.default_rng(self.seed)
        y = random.permutation(np.arange(self.examples) % 2)
        x = random.normal(size=(self.examples, 20))
        x[:, :4] += 0.8 * y[:, None]
        x[:, 4:8] += 0.8 * (1 - y)[:, None]
        sign = random.choice((-1.0, 1.0), self.examples)
        x[:, 8] = 1.5 * sign + 0.6 * x[:, 8]
        x[:, 9] = 1.5 * sign * (2 * y - 1) + 0.6 * x[:, 9]
        x[:, 10:14] = 0.5 * x[:, :8] @ random.normal(size=(8, 4)) + 0.5 * x[:, 10:14]
        return Splits(*split(y, self.test_share).of(x, y), ("negative", "positive"))
