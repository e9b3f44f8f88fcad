"""A file of results as rows: a path, what stands there, and the number that is judged."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import ge, le, lt
from typing import Any

ABOUT = {
    "machine", "processor", "cores", "load", "load before", "python", "torch", "numpy", "scipy", "versions", "threads", "time", "kernel",
    "unit", "rounds", "epochs_a_round", "batches_an_epoch", "freed_memory_kept",
}  # fmt: skip
"""Where and how it was measured; not judged."""
UNSAID = {"reach", "quick"}
"""Said by the targets; said by the page."""
FRAMES = {"models", "rows", "graphs", "times", "found"}
"""Hold figures and say nothing of them."""
SPREAD = ({"median", "seeds"}, {"ratio", "quartiles"})
"""Told in one row where both are there."""
COMPARE = {"<=": le, ">=": ge, "<": lt}


@dataclass(frozen=True)
class Row:
    """One figure."""

    where: str
    text: str
    values: tuple[float, ...] = ()
    """What is judged: one number, the median of several seeds, or all of a list."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """What else a target may name: of a list the 1st, of seeds the least and the most."""
    target: str = ""
    reached: bool = True


def rows(results: dict[str, Any]) -> list[Row]:
    """All figures of a file: of `figures`, which bring their targets, or of whatever else is in it."""
    if isinstance(results.get("figures"), list):
        return list(_listed(results["figures"]))
    return list(_leaves("", results))


def about(results: dict[str, Any]) -> str:
    """The machine and the versions, on one line."""
    flat = ((name, value) for name, value in results.items() if name in ABOUT)
    return "; ".join(f"{name} {_said(value)}" for name, value in flat)


def judged(found: list[Row], targets: dict[str, str]) -> list[Row]:
    """The rows that have a target, with it: their own, or the one that is set for them."""
    own = [row for row in found if row.target]
    return own + [_judged(where, target, found) for where, target in targets.items()]


def number(value: float) -> str:
    """Four digits of it, as many as there are of an integer."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def at(where: str, found: list[Row]) -> tuple[str, tuple[float, ...]]:
    """The figure at a path, as text and as numbers: a row's, or a part of a list, of seeds or of a text."""
    for row in found:
        if row.where == where and row.values:
            return row.text, row.values
        part = where.removeprefix(f"{row.where} · ")
        if part in row.parts:
            return number(row.parts[part]), (row.parts[part],)
        if part != where and (inside := re.search(rf"\b{re.escape(part)} (-?[\d.e+-]+\d)", row.text)):
            return inside[1], (float(inside[1]),)
    raise KeyError(f"No figure at {where!r}: correct targets.toml.")


def _listed(figures: list[dict[str, Any]]) -> Iterator[Row]:
    """Names that begin with dots go on with the one before."""
    whose = ""
    for one in figures:
        what = one["what"]
        if what.startswith("... "):
            what = f"{whose} · {what.removeprefix('... ')}"
        else:
            whose = what.split(":")[0]
        text = f"{number(one['figure'])} {one['unit']}".strip()
        yield Row(what, text, (one["figure"],), target=one["target"], reached=one["reached"])


def _judged(where: str, target: str, found: list[Row]) -> Row:
    sign, bound, *other = target.split(" ", 3)
    text, values = at(where, found)
    limit, said = float(bound), target
    if other:
        how, path = other
        beside, (there,) = at(path, found)
        limit = limit * there if how == "of" else limit + there
        said = f"{sign} {bound} {how} {beside} ({path})"
    return Row(where, text, values, target=said, reached=all(COMPARE[sign](value, limit) for value in values))


def _leaves(where: str, value: Any) -> Iterator[Row]:
    if not isinstance(value, dict):
        values = _values(value)
        yield Row(where, _said(value), values, {"1st": values[0]} if isinstance(value, list) and values else {})
        return
    told = next((pair for pair in SPREAD if pair <= set(value)), set[str]())
    if told == {"median", "seeds"}:
        middle, least, most = value["median"], min(value["seeds"]), max(value["seeds"])
        text = f"{number(middle)} ({number(least)} to {number(most)})"
        yield Row(where, text, (middle,), {"least": least, "most": most})
    elif told:
        ratio, (low, high) = value["ratio"], value["quartiles"]
        yield Row(where, f"{ratio:.3f} ({low:.3f} to {high:.3f})", (ratio,))
    for name, inner in value.items():
        if name not in ABOUT | UNSAID | told:
            path = where if name in FRAMES else f"{where} · {name}" if where else name
            yield from _leaves(path, inner)


def _values(value: Any) -> tuple[float, ...]:
    if isinstance(value, list):
        return tuple(one for one in value if isinstance(one, int | float))
    return (value,) if isinstance(value, int | float) else ()


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
