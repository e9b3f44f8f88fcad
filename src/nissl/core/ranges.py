"""Whole numbers as they stand in an address: 3-7,12."""

import re
from collections.abc import Iterable

MOST = 4_000_000
"""How many an address may name, so that no link can fill the memory."""


def ranged(numbers: Iterable[int]) -> str:
    """As they come, each once, those that follow one another as one."""
    found: list[list[int]] = []
    for one in dict.fromkeys(numbers):
        if found and one == found[-1][1] + 1:
            found[-1][1] = one
        else:
            found.append([one, one])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def unranged(text: str) -> tuple[int, ...] | None:
    """As they are named, each once; None where it is nothing of the kind."""
    found: dict[int, None] = {}
    for part in text.split(","):
        ends = re.fullmatch(r"([0-9]{1,12})(?:-([0-9]{1,12}))?", part)
        if ends is None:
            return None
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if last < first or len(found) + last - first >= MOST:
            return None
        found |= dict.fromkeys(range(first, last + 1))
    return tuple(found)
