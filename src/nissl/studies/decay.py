"""`biased_decay`: units that do little are made to die while the network learns, so that they can be pruned."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nissl.core.capabilities import Biasing
from nissl.core.network import Network, network
from nissl.errors import BadValue, Unsupported, listing, near


@dataclass(frozen=True)
class Decay:
    """A term of the loss: call it in every step."""

    network: Network
    layers: tuple[str, ...]
    strength: float
    kind: str
    scale: float

    def __call__(self) -> Any:
        """The cost of the weights as they are now, differentiable."""
        assert isinstance(self.network, Biasing)
        cost = _KINDS[self.kind]
        return self.strength * self.network.weight_cost(lambda weights: cost(weights * self.scale), self.layers)

    def __repr__(self) -> str:
        return f"<Decay of {listing(self.layers, 5)}: {self.kind}, strength {self.strength:g}, scale {self.scale:g}>"


def biased_decay(
    model: Any, strength: float = 1e-2, *, kind: str = "hyperbolic", scale: float = 1.0, layers: str | Sequence[str] | None = None
) -> Decay:  # fmt: skip
    """A term for the loss under which units of little weight die and those of much are left alone: `loss + decay()`.

    Plain weight decay pulls a weight the harder the larger it is, so that all get smaller and none goes. Here the pull falls
    as a unit's weights grow. `kind`: of the sum s of a unit's |incoming weights|, "hyperbolic", s / (1 + s), or "exponential",
    1 - exp(-s) (Hanson and Pratt, NIPS 1988); or, weight by weight, "elimination", w^2 / (1 + w^2) (Weigend, Rumelhart and
    Huberman, NIPS 1990). `scale` multiplies the weights first: the larger, the smaller is what counts as little. `layers`:
    names or patterns; left out, all with weights but the outputs and embeddings.
    """
    net = network(model)
    if not isinstance(net, Biasing):
        raise Unsupported(f"Units of a {net.framework} network can't be made to pay for their weights: PyTorch's can.")
    if kind not in _KINDS:
        raise BadValue(f"kind={kind!r}.{near(kind, _KINDS)} There are: {listing(_KINDS)}.")
    if not (strength >= 0 and scale > 0 and math.isfinite(strength * scale)):
        raise BadValue(f"strength={strength!r}, scale={scale!r}: numbers from 0, and above 0.")
    weighted = [layer for layer in net.layers if any(name.startswith("weight") for name in layer.parameters)]
    hidden = [layer.name for layer in weighted[:-1] if layer.kind != "embedding"]
    chosen = hidden if layers is None else net.select(layers)
    if not chosen:
        raise BadValue("The network has no layer of weights before its output: there are no hidden units to make die.")
    return Decay(net, tuple(chosen), float(strength), kind, float(scale))


def _hyperbolic(weights: Any) -> Any:
    total = abs(weights).sum(-1)
    return total / (1 + total)


def _exponential(weights: Any) -> Any:
    return 1 - math.e ** -abs(weights).sum(-1)


def _elimination(weights: Any) -> Any:
    squares = weights * weights
    return squares / (1 + squares)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "hyperbolic": _hyperbolic,
    "exponential": _exponential,
    "elimination": _elimination,
}
