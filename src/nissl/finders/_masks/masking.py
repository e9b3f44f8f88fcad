"""Units turned down towards their baselines while a `with` is open."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from nissl.core.capabilities import Editable
from nissl.core.finder import Array, Case
from nissl.core.network import Network
from nissl.core.units import to_last
from nissl.errors import Unsupported


@contextmanager
def masked(case: Case, masks: Mapping[str, Array]) -> Iterator[None]:
    """baseline + mask * (value - baseline), in every layer."""
    network = case.network
    if not isinstance(network, Editable):
        raise Unsupported(f"The values of a {network.framework} network can't be changed: use attribution_patching.")
    with ExitStack() as stack:
        for layer in case.layers:
            turned = _turned(case.network, to_last(layer, case.constants(layer)), masks[layer.name])
            stack.enter_context(network.change(layer.name, None, turned))
        yield


def _turned(network: Network, baseline: Array, mask: Array) -> Callable[[Any], Any]:
    def turned(value: Any) -> Any:
        low, share = network.like(baseline, value), network.like(mask, value)
        return low + share * (value - low)

    return turned
