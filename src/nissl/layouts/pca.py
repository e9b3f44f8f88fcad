"""The two directions in which units differ most."""

from dataclasses import dataclass

from nissl.core.layout import Array, Layout, plane


@dataclass(frozen=True)
class Pca(Layout):
    """Principal components: straight, exact, and at once; what differs in further directions falls together."""

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        return plane(features)
