"""Addresses of a trace: E_30 / L_hidden_1 / n_20, in words, numbers, slices or one path."""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote_plus

from nissl.core.outlook import Outlook
from nissl.errors import UnknownKey, listing, near

_QUERY = re.compile(r"\?(?:[a-z]+=[^/?]*)?$")
"""How the page says what is stained, compared and shown: after the place."""


def epoch_number(key: Any) -> int:
    """30 from 30, "E_30", "e30" or "30"."""
    return _number(key, "e", "an epoch is addressed as 'E_30', 'e30' or 30")


def neuron_number(key: Any) -> int:
    """20 from 20, "n_20", "n20" or "20"."""
    return _number(key, "n", "a neuron is addressed as 'n_20', 'n20' or 20: its index within the layer")


def layer_name(key: Any, known: Sequence[str]) -> str:
    """The layer called `L_name` or `name`, also as a link has it (%2F); one whose own name starts with L_ is found as it is."""
    linked = unquote_plus(str(key))
    for name in (key, str(key).removeprefix("L_"), linked, linked.removeprefix("L_")):
        if name in known:
            return str(name)
    bare = str(key).removeprefix("L_")
    raise UnknownKey(f"There is no layer {key!r}.{near(bare, known)} The layers are: {listing(known)}.")


def chosen(epochs: Sequence[int], key: slice) -> list[int]:
    """The epochs from start to stop, both included, as labels are sliced."""
    start = epoch_number(key.start) if key.start is not None else None
    stop = epoch_number(key.stop) if key.stop is not None else None
    inside = [e for e in epochs if (start is None or e >= start) and (stop is None or e <= stop)]
    return inside[:: key.step or 1]


def missing_epoch(epoch: int, known: Iterable[int]) -> UnknownKey:
    """The error for an epoch that is not there, with the nearest that are."""
    close = sorted(known, key=lambda e: (abs(e - epoch), e))
    hint = f" The nearest are {listing(f'E_{e}' for e in sorted(close[:3]))}." if close else " None is recorded yet."
    return UnknownKey(f"Epoch {epoch} is not in the trace.{hint} {len(close)} epochs are recorded.")


def parts(path: str) -> list[str]:
    """The steps of "e30/hidden_1/n20", and of the page's "#/e30/hidden_1/n20?stain=3,8": what is stained there is not a step."""
    return [part for part in _QUERY.sub("", path).removeprefix("#").strip("/").split("/") if part]


def understood(path: str) -> None:
    """Refuse what is said behind a place and means nothing."""
    found = _QUERY.search(path)
    if found:
        Outlook.of(found[0])


def beside(path: str) -> str | None:
    """The same place at the epoch that it is compared with ("?vs=e12"); None where there is none."""
    found = re.search(r"[?&]vs=(e_?\d+)(?:&|$)", path, re.IGNORECASE)
    return "/".join([found[1], *parts(path)[1:]]) if found else None


def _number(key: Any, letter: str, expected: str) -> int:
    if hasattr(key, "__index__") and not isinstance(key, bool):
        return int(key.__index__())
    found = re.fullmatch(rf"(?:{letter}_?)?(\d+)", str(key), re.IGNORECASE)
    if not found:
        raise UnknownKey(f"{key!r} is no address here: {expected}.")
    return int(found[1])
