"""t-SNE: near neighbours stay near; what is far apart says little."""

from collections.abc import Iterator
from dataclasses import dataclass

from nissl.core.layout import Array, GradualLayout
from nissl.errors import BadValue


@dataclass(frozen=True)
class Tsne(GradualLayout):
    """By openTSNE, without it by scikit-learn, without either the principal components."""

    perplexity: float = 30.0
    """About how many neighbours each point keeps near."""
    iterations: int = 500
    """Steps from scratch, after those that gather the groups."""
    warm: int = 100
    """Steps from given places, none of which tears groups apart again."""
    jobs: int = 1
    """Threads; more than there are free cores makes it many times slower."""

    def __post_init__(self) -> None:
        for name in ("perplexity", "iterations", "warm", "jobs"):
            if not getattr(self, name) >= 1:
                raise BadValue(f"{name}={getattr(self, name)!r}: from 1 on.")

    def steps(self, features: Array, start: Array | None, seed: int) -> Iterator[tuple[float, Array]]:
        from nissl.layouts._tsne.engines import engine

        yield from engine()(self, features, start, seed)
