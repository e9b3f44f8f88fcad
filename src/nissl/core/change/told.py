"""Changes in words, and as a table to be read."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nissl.core.change.scan import NEAR, Scan

if TYPE_CHECKING:
    from rich.console import Group

    from nissl.core.change.found import Changes

ROWS = 20
MOST = 3
"""Epochs that are named for a layer."""
EVENTS = {"birth": "born", "death": "died", "saturation": "went into saturation", "recovery": "came out of saturation"}
KINDS = {
    "geometry": "how the {points} of {name} lie to one another jumped at {when}",
    "relation": "the likeness of {name} jumped at {when}",
    "pace": "the pace of {name}'s drift jumped at {when}",
}


def sentences(of: "Changes") -> Iterator[str]:
    """Layer by layer what stays and what changes; then what holds between layers, and what could not be tested."""
    for name, scan in of.scans.items():
        yield _settled(of, name, scan)
        yield from _jumped(of, name, scan)
        yield from _turned(of, name, scan)
    points = "examples" if of.alike.by == "samples" else "classes"
    for kind, jumps in of.wholes.items():
        by_name: dict[str, list[int]] = {}
        for name, jump in jumps:
            by_name.setdefault(name, []).append(jump.epoch)
        for name, when in by_name.items():
            said = KINDS[kind].format(points=points, name=name, when=_epochs(sorted(when)))
            yield f"{said[0].upper()}{said[1:]}."
    yield from _same(of)
    yield from _untested(of)


def read(of: "Changes") -> "Group":
    """What rich shows: the sentences, and the units that changed most."""
    from rich import box
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = ("layer", "unit", "jump at", "size", "q", "moved", "settled", "class", "events")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if 2 < number < 7 else "left", overflow="fold")
    rows = of.rows()
    for row in rows[:ROWS]:
        made.add_row(*(escape(cell) for cell in _cells(row)))
    shown = f"{min(len(rows), ROWS)} of {len(rows):,} units shown, those that jumped first, then by how far they moved"
    unit = "sizes in standard deviations of the layer's activity; q: false discovery rate"
    return Group(*map(escape, sentences(of)), "", f"{shown}; {unit}", made)


def _cells(row: tuple[Any, ...]) -> Iterator[str]:
    layer, unit, moved, _, settled, count, when, size, _, q, first, last, events = row
    yield layer
    yield f"n_{unit}"
    yield "-" if when is None else f"E_{when}" + (f" (+{count - 1})" if count > 1 else "")
    yield "-" if size is None else f"{size:.2f}"
    yield "-" if q is None else f"{q:.1g}" if q >= 1e-4 else "<1e-4"
    yield "-" if not np.isfinite(moved) else f"{moved:.2f}"
    yield "-" if settled is None else f"E_{settled}"
    yield (first or "-") if first == last else f"{first or '-'} > {last or '-'}"
    yield events or "-"


def _settled(of: "Changes", name: str, scan: Scan) -> str:
    place, units, word = scan.settles(of.lasting), scan.paths.units, of.trace.place(name).unit
    if len(scan.epochs) < 2:
        return f"{name} is known at one epoch only: there is nothing to compare it with."
    if not scan.last.max() > 0:
        return f"{name} stays the same throughout."
    if place is None:
        return f"{name} has not settled: its last {of.lasting} epochs still bring it further than {100 * NEAR:.0f} % of its way."
    said = f"{name} settled by E_{scan.epochs[place]}"
    later = int(scan.later[place])
    if "class" not in scan.paths.spec.dims or len(scan.paths.numbers) < 2:
        return f"{said}."
    return f"{said}; {later:,} of {units:,} {word}s changed class after that."


def _jumped(of: "Changes", name: str, scan: Scan) -> Iterator[str]:
    jumps = of.moved[name]
    if not jumps:
        return
    counts = Counter(jump.epoch for jump in jumps)
    told = [f"{count:,} at E_{epoch}" for epoch, count in sorted(counts.most_common(MOST), key=lambda pair: pair[0])]
    rest = len(jumps) - sum(count for _, count in counts.most_common(MOST))
    others = f", {rest:,} at other epochs" if rest else ""
    units, word = len({jump.unit for jump in jumps}), of.trace.place(name).unit
    top = jumps[0]
    yield (
        f"{units:,} of {scan.paths.units:,} {word}s of {name} jumped out of their usual motion: {', '.join(told)}{others}; "
        f"most: n_{top.unit} at E_{top.epoch}, by {top.size:.2f} of the layer's spread."
    )


def _turned(of: "Changes", name: str, scan: Scan) -> Iterator[str]:
    counts = Counter(event for _, event, *_ in scan.turned)
    told = [f"{counts[event]:,} {words}" for event, words in EVENTS.items() if counts[event]]
    if told:
        yield f"Of {name}'s {of.trace.place(name).unit}s {', '.join(told)}."


def _same(of: "Changes") -> Iterator[str]:
    """The layer that changed least, and the pair of layers whose relation did."""
    ends = {name: float(scan.last[0]) for name, scan in of.scans.items() if len(scan.epochs) > 1}
    if len(ends) > 1:
        least, most = min(ends, key=lambda n: ends[n]), max(ends, key=lambda n: ends[n])
        if ends[most] > ends[least]:
            yield (
                f"From the first epoch to the last {least} moved least ({ends[least]:.2f} of its spread), {most} most "
                f"({ends[most]:.2f})."
            )


def _untested(of: "Changes") -> Iterator[str]:
    why: dict[str, list[str]] = {}
    for name, scan in of.scans.items():
        if scan.untested and scan.last.max(initial=0) > 0:
            why.setdefault(scan.untested, []).append(name)
    for reason, names in why.items():
        whose = "" if len(names) == len(of.scans) else f" of {', '.join(names)}"
        yield f"Nothing{whose} was tested: {reason}."
    alike = of.alike
    if alike.by == "classes" and alike.layers:
        few = f"{alike.points} classes' profiles" if alike.points > 1 else "one class"
        hint = "record the quantity 'samples' to compare examples"
        if alike.points < 4:
            yield f"Layers are not compared as wholes: that takes four points, and there are {few}; {hint}."
        else:
            yield f"Layers are compared as wholes by {few}, few points that miss small changes; {hint}."


def _epochs(when: list[int]) -> str:
    return ", ".join(f"E_{epoch}" for epoch in when)
