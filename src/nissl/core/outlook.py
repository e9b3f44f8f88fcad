"""`Outlook`: all that an address of the page says: the place, and what is stained, compared, brushed and gathered there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from nissl.core.ranges import ranged, unranged
from nissl.errors import BadValue

VIEWS = ("pathways", "layers", "neuron", "samples", "confusion", "projector", "structures", "maps", "graph", "run")
SAVED = "saved:"
SAID = {
    "view": f"a view, {', '.join(VIEWS)}", "stain": "names of classes, 3,8", "vs": "an epoch, e12, or one of another run, run:e12",
    "mark": "an epoch, e12", "sample": "the number of an example", "target": "a class, or two, 3-8",
    "brush": "units by layer, hidden_1:3-7,12;hidden_2:4", "examples": "numbers of examples, 3,7-9",
    "cell": "what examples are and were taken for, 3-8:e12", "dye": "causal, contrast or saved:NAME", "lamp": "bright or dark",
}  # fmt: skip
"""What may be said behind the place, and how; as the page has it, web/src/lib/address.ts."""


@dataclass(frozen=True)
class Outlook:
    """What `#/e30/hidden_1/n20?stain=3,8&vs=e12` says; None: the page chooses. `str` gives the address again."""

    epoch: int | None = None
    layer: str | None = None
    unit: int | None = None
    view: str | None = None
    stains: tuple[str, ...] | None = None
    versus: int | None = None
    """The epoch that is marked, to be compared with."""
    compared: bool = False
    """Is the difference to it what is looked at?"""
    other: int | None = None
    """The epoch of another run that stands beside."""
    sample: int | None = None
    target: tuple[str, ...] | None = None
    brush: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Units that were brushed, by layer, in order of their numbers."""
    examples: tuple[int, ...] | None = None
    """Examples that were gathered one by one, in the order in which they were."""
    cell: tuple[str, str, int | None] | None = None
    """Those gathered that are of one class and were taken for another, at this epoch."""
    dye: str | None = None
    lamp: str | None = None

    @classmethod
    def of(cls, address: str) -> "Outlook":
        """Read an address; what means nothing in it is refused in a sentence."""
        path, _, query = re.sub(r"^#?/?", "", address).partition("?")
        found = _placed([unquote_plus(part) for part in path.split("/") if part])
        for pair in filter(None, query.split("&")):
            name, _, value = pair.partition("=")
            if name not in SAID:
                raise BadValue(f"An address says nothing of {name}: it has {', '.join(SAID)}.")
            taken = _TAKEN[name](value)
            if taken is None:
                raise BadValue(f"{name}={value} means nothing here: it is {SAID[name]}.")
            found = replace(found, **taken)
        return found

    def __str__(self) -> str:
        steps = [] if self.epoch is None else [f"e{self.epoch}"]
        if steps and self.layer is not None:
            steps += [_plain(self.layer), *([] if self.unit is None else [f"n{self.unit}"])]
        said = "&".join(f"{name}={value}" for name, value in self._said() if value is not None)
        return "/".join(steps) + (f"?{said}" if said else "")

    def _said(self) -> list[tuple[str, str | None]]:
        cell = self.cell and f"{_dashed(self.cell[0])}-{_dashed(self.cell[1])}" + (
            "" if self.cell[2] is None else f":e{self.cell[2]}"
        )
        brush = ";".join(f"{_plain(layer)}:{ranged(sorted(units))}" for layer, units in self.brush.items())
        dye = f"{SAVED}{_plain(self.dye[len(SAVED) :])}" if self.dye and self.dye.startswith(SAVED) else self.dye
        return [
            ("view", self.view), ("stain", None if self.stains is None else ",".join(map(_plain, self.stains))),
            ("vs" if self.compared else "mark", None if self.versus is None else f"e{self.versus}"),
            ("vs", None if self.other is None else f"run:e{self.other}"),
            ("sample", None if self.sample is None else str(self.sample)),
            ("target", "-".join(map(_dashed, self.target)) if self.target else None), ("brush", brush or None),
            ("examples", None if self.examples is None else ranged(self.examples)), ("cell", cell), ("dye", dye), ("lamp", self.lamp),
        ]  # fmt: skip


def _placed(parts: list[str]) -> Outlook:
    if not parts:
        return Outlook()
    epoch = re.fullmatch(r"(?:e_?)?([0-9]+)", parts[0], re.IGNORECASE)
    if epoch is None:
        raise BadValue(f"{parts[0]} is no epoch: an address begins as e30.")
    unit = re.fullmatch(r"(?:n_?)?([0-9]+)", parts[2], re.IGNORECASE) if len(parts) > 2 else None
    layer = parts[1].removeprefix("L_") if len(parts) > 1 else None
    return Outlook(int(epoch[1]), layer, int(unit[1]) if unit else None)


Taken = dict[str, Any] | None


def _beside(value: str) -> Taken:
    other = re.fullmatch(r"run:e_?([0-9]+)", value, re.IGNORECASE)
    marked = _mark(value)
    return {"other": int(other[1])} if other else marked and {**marked, "compared": True}


def _mark(value: str) -> Taken:
    found = re.fullmatch(r"e_?([0-9]+)", value, re.IGNORECASE)
    return {"versus": int(found[1])} if found else None


def _brush(value: str) -> Taken:
    pairs = [one.partition(":") for one in value.split(";")]
    found = {unquote_plus(layer): tuple(sorted(unranged(units) or ())) for layer, _, units in pairs}
    fine = len(found) == len(pairs) and all(layer and units for layer, units in found.items())
    return {"brush": found} if fine else None


def _examples(value: str) -> Taken:
    found = unranged(value)
    return None if found is None else {"examples": found}


def _cell(value: str) -> Taken:
    found = re.fullmatch(r"([^-:]+)-([^-:]+)(?::[eE]_?([0-9]+))?", value)
    if found is None:
        return None
    return {"cell": (unquote_plus(found[1]), unquote_plus(found[2]), int(found[3]) if found[3] else None)}


def _target(value: str) -> Taken:
    parts = value.split("-")
    return {"target": tuple(map(unquote_plus, parts))} if value and len(parts) < 3 else None


def _dye(value: str) -> Taken:
    if value.startswith(SAVED):
        return {"dye": SAVED + unquote_plus(value[len(SAVED) :])}
    return {"dye": value} if value in ("causal", "contrast") else None


_TAKEN: dict[str, Any] = {
    "view": lambda value: {"view": value} if value in VIEWS else None,
    "stain": lambda value: {"stains": tuple(map(unquote_plus, value.split(","))) if value else ()},
    "vs": _beside, "mark": _mark, "target": _target, "brush": _brush, "examples": _examples, "cell": _cell, "dye": _dye,
    "sample": lambda value: {"sample": int(value)} if re.fullmatch(r"[0-9]+", value) else None,
    "lamp": lambda value: {"lamp": value} if value in ("bright", "dark") else None,
}  # fmt: skip


def _plain(text: str) -> str:
    """Percent-encoded as a browser does it, a space as +."""
    return quote_plus(text, safe="!~*'()")


def _dashed(text: str) -> str:
    return _plain(text).replace("-", "%2D")
