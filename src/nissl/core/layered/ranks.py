"""Which rank each thing stands in: below all that it takes from."""

from collections.abc import Sequence


def ranks(count: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """Longest ways from the top; `links` lead from smaller numbers to larger. What more depends on than it takes moves down."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for tail, head in links:
        before[head].append(tail)
        after[tail].append(head)
    found = [0] * count
    for one in range(count):
        found[one] = max((found[other] + 1 for other in before[one]), default=0)
    for one in reversed(range(count)):
        if len(after[one]) > len(before[one]):
            found[one] = min(found[other] for other in after[one]) - 1
    return found
