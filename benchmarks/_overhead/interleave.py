"""Steps timed against the bare step: blocks in turn, the order swapped in each round, CPU time, the median of ratios."""

import ctypes
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

Step = Callable[[], Any]
Opened = Callable[[], AbstractContextManager[Step]]
WARM = 4  # steps before the clock starts


def steady() -> bool:
    """Have the C library keep freed memory for the next step; False where it cannot be asked to.

    Left alone, it gives large pieces and the top of its heap back to the system after some steps and not after others, by
    what happens to lie there: then the same bare step takes 0 or 2,000 page faults, a fifth of its time.
    """
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        return False
    trim_threshold, most_maps = -1, -4
    library = ctypes.CDLL(None)
    return bool(library.mallopt(most_maps, 0) and library.mallopt(trim_threshold, (1 << 31) - 1))


def fresh() -> None:
    """Give freed memory back once, so that a watcher that keeps values does not find the memory of its last block."""
    if hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)


def block(opened: Opened, steps: int) -> float:
    """CPU seconds of this process for one of so many steps; opening, closing and the first steps are not timed."""
    with opened() as step:
        gc.collect()
        fresh()
        for _ in range(WARM):
            step()
        start = time.process_time()
        for _ in range(steps):
            step()
        return (time.process_time() - start) / steps


def compared(bare: Opened, others: Mapping[str, Opened], steps: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Each of `others` beside its own block of `bare` in every round: median, quartiles and the rounds that they rest on."""
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in others}
    for turn in range(rounds):
        for name, other in others.items():
            if turn % 2:
                b = block(other, steps)
                a = block(bare, steps)
            else:
                a = block(bare, steps)
                b = block(other, steps)
            pairs[name].append((a, b))
    return {name: summary(found) for name, found in pairs.items()}


def summary(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Ratio to bare, and what one step took."""
    low, middle, high = statistics.quantiles([b / a for a, b in pairs], n=4, method="inclusive")
    return {
        "ratio": round(middle, 4),
        "quartiles": [round(low, 4), round(high, 4)],
        "added_ms": round(1e3 * statistics.median(b - a for a, b in pairs), 4),
        "bare_ms": round(1e3 * statistics.median(a for a, _ in pairs), 4),
        "rounds": len(pairs),
    }


def load() -> list[float]:
    """How busy the machine is, over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def endless(batch: Any) -> Iterator[Any]:
    """The same batch for ever."""
    while True:
        yield batch
