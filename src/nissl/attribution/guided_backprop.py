"""The gradient, of which each ReLU lets back only what is positive."""

from dataclasses import dataclass

from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class GuidedBackprop(Method):
    """Guided backpropagation (Springenberg and others, 2014) through every ReLU, however it is written.

    `also`: other nonlinearities by name, such as "gelu" or "clamp". Notes tell which went by the rule. It shows what is in
    the input more than what the network makes of it: `nissl.attribution_sanity` shows that.
    """

    also: tuple[str, ...] = ()

    def values(self, matter: Matter) -> Array:
        return matter.passage(rule="guided", also=tuple(self.also)).slopes[matter.at]
