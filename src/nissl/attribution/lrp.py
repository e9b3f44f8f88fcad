"""Relevance, handed back layer by layer to what made each value."""

from dataclasses import dataclass
from typing import ClassVar

from nissl.core.matter import Matter
from nissl.core.method import Array, Method
from nissl.errors import BadValue

RULES = ("epsilon", "gamma", "z_plus", "epsilon_plus")


@dataclass(frozen=True)
class Lrp(Method):
    """Layer-wise relevance propagation (Bach and others, 2015).

    `rule`: "epsilon" (shares of what each value adds), "gamma" (what speaks for the output counts `gamma` more), "z_plus" (only
    that), or "epsilon_plus": z_plus in convolutions and epsilon elsewhere. Biases keep their share: `gap` tells how much.
    Notes tell which nonlinearities no rule is known of.
    """

    complete: ClassVar[bool] = True
    rule: str = "epsilon_plus"
    epsilon: float = 1e-6
    gamma: float = 0.25

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise BadValue(f"rule={self.rule!r}: one of {', '.join(RULES)}.")

    def values(self, matter: Matter) -> Array:
        found = matter.passage(rule=self.rule, epsilon=self.epsilon, gamma=self.gamma)
        return found.values[matter.at] * found.slopes[matter.at]
