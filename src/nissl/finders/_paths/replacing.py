"""Units replaced by their baselines while a `with` is open."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from nissl.core.capabilities import Editable
from nissl.core.finder import Array, Case
from nissl.errors import Unsupported


@contextmanager
def replacing(case: Case, units: Mapping[str, Sequence[int]], to: Mapping[str, Array]) -> Iterator[None]:
    """`to`: by layer, for all its units, the unit axis last."""
    network = case.network
    if not isinstance(network, Editable):
        raise Unsupported(f"The values of a {network.framework} network can't be changed: use attribution_patching.")
    with ExitStack() as stack:
        for name, which in units.items():
            if len(which):
                stack.enter_context(network.change(name, which, to[name][..., which]))
        yield
