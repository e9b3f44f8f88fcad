"""Units turned down towards constants while a `with` is open."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from nissl.core.capabilities import Editable
from nissl.core.finder import Array, Case
from nissl.core.network import Network
from nissl.core.units import to_last
from nissl.errors import Unsupported


@contextmanager
def masked(case: Case, masks: Mapping[str, Array], constants: Mapping[str, Array]) -> Iterator[None]:
    """constant + mask * (value - constant), in every layer; constants (unit, part)."""
    network = case.network
    if not isinstance(network, Editable):
        raise Unsupported(f"The values of a {network.framework} network can't be changed: use attribution_patching.")
    with ExitStack() as stack:
        for layer in case.layers:
            turned = _turned(case.network, to_last(layer, constants[layer.name]), masks[layer.name])
            stack.enter_context(network.change(layer.name, None, turned))
        yield


def _turned(network: Network, baseline: Array, mask: Array) -> Callable[[Any], Any]:
    def turned(value: Any) -> Any:
        low, share = network.like(baseline, value), network.like(mask, value)
        return low + share * (value - low)

    return turned
