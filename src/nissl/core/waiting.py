"""A trace that is still being written: each of its epochs as soon as it is there."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nissl.core.cells import Epoch

if TYPE_CHECKING:
    from nissl.core.trace import Trace


def committed(trace: "Trace", poll: float, timeout: float | None) -> Iterator[Epoch]:
    """Every epoch from the first on, until the recording is closed (or `timeout` seconds pass without one)."""
    seen: set[int] = set()
    quiet = time.monotonic()
    while True:
        closed = trace.closed  # asked before looking, so that nothing committed before closing is missed
        for epoch in [e for e in trace.epochs if e not in seen]:
            seen.add(epoch)
            quiet = time.monotonic()
            yield Epoch(trace, epoch)
        if closed or (timeout is not None and time.monotonic() - quiet > timeout):
            return
        time.sleep(poll)
