"""The target led back through each ReLU as far as it is positive, whether that was open or not."""

from dataclasses import dataclass

from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class Deconvnet(Method):
    """A deconvolutional network's way back (Zeiler and Fergus, 2013) through every ReLU, however it is written.

    `also`: other nonlinearities by name, such as "gelu" or "clamp". Notes tell which went by the rule.
    """

    also: tuple[str, ...] = ()

    def values(self, matter: Matter) -> Array:
        return matter.passage(rule="deconvnet", also=tuple(self.also)).slopes[matter.at]
