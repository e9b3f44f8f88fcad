"""What the commands print: tables in a terminal, the same as plain text elsewhere."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nissl.core.cells import Epoch, LayerCell, Neuron
from nissl.core.screen import amount
from nissl.core.trace import Trace
from nissl.errors import UnknownKey
from nissl.studies.catalogue import Finding
from nissl.studies.contents import Contents, Part
from nissl.studies.train import Trained

ROWS = 40
WIDTH = 100  # where the output is no terminal


def console() -> Console:
    """Standard output, wide enough for a table where nobody says how wide it is."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=max(WIDTH, found.width))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "", *, right: Sequence[int] = ()
) -> Table:
    """A plain table; `right` names the columns of numbers."""
    made = Table(title=escape(title) or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape(str(cell)) for cell in row))
    return made


def number(value: Any) -> str:
    """Four digits, or a small array as a list of them, or its shape and span."""
    found = np.asarray(value)
    if not found.ndim:
        return f"{value:.4g}"
    if found.size <= 12:
        return "  ".join(f"{one:.3g}" for one in found.ravel())
    return f"{' x '.join(map(str, found.shape))} values, {np.nanmin(found):.3g} to {np.nanmax(found):.3g}"


def trained(path: str | Path, done: Trained) -> None:
    """What `nissl train` ends with."""
    epochs, out = done.trace.epochs, console()
    out.print(f"trace: {path} ({len(epochs)} epochs)", soft_wrap=True)
    if done.best is not None:
        lowest = int(np.nanargmin(done.losses)) + 1
        out.print(f"best weights: {done.best} (epoch {lowest}, loss {np.nanmin(done.losses):.4g})", soft_wrap=True)
    if epochs:
        out.print(f"next: nissl info {path}; nissl show {path} e{epochs[-1]}/{done.trace.layers[0]}/n0", soft_wrap=True)


def contents(path: str | Path, found: Contents) -> None:
    """What `nissl info` prints."""
    out, trace = console(), found.trace
    header, epochs = trace.header, trace.epochs
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(header.get("created", 0)))
    state = f"ended: {header.get('ended', 'closed')}" if trace.closed else "open: being recorded, or its writer died"
    out.print(
        f"{path}: {header.get('model')} ({header.get('framework')} {header.get('framework_version')}), {when}; {state}",
        soft_wrap=True,
    )
    if header.get("config"):
        out.print(f"config: {_flat(header['config'])[1:-1]}", soft_wrap=True, markup=False)
    span = f"{len(epochs)}, E_{epochs[0]} to E_{epochs[-1]}" if epochs else "none yet"
    out.print(f"epochs: {span}")
    if epochs:
        last = trace.entry(epochs[-1]).scalars
        out.print(
            f"E_{epochs[-1]}: " + ", ".join(f"{name} {value:.4g}" for name, value in last.items()), soft_wrap=True
        )
    for flaw in _flaws(trace):
        out.print(flaw, soft_wrap=True, markup=False)
    if trace.classes:
        shown = ", ".join(trace.classes[:ROWS])
        out.print(
            f"classes: {shown}{' ...' if len(trace.classes) > ROWS else ''} ({len(trace.classes)})",
            soft_wrap=True,
            markup=False,
        )
    out.print(table(("layer", "kind", "units", "array", "on disk"), _rows(found.parts), right=(2, 4)))
    unsealed = f", {amount(found.unsealed)} of it in epochs not folded into Zarr yet" if found.unsealed else ""
    ratio = f" ({found.total / found.raw:.2f} of the values' {amount(found.raw)})" if found.raw else ""
    out.print(f"in all: {amount(found.total)}{ratio}{unsealed}", soft_wrap=True)
    if found.costs:
        spent = ", ".join(
            f"{name.removeprefix('seconds_')} {value:.2f} s"
            for name, value in found.costs.items()
            if name.startswith("seconds")
        )
        out.print(f"cost of recording: {spent}; {amount(found.costs.get('bytes', 0))} written", soft_wrap=True)


def _flaws(trace: Trace) -> list[str]:
    """What is not there of the epochs."""
    lost = [f"missing: E_{e}: what rank {', '.join(map(str, ranks))} saw" for e, ranks in trace.missing.items()]
    return [f"damaged: E_{epoch}: {damage}" for epoch, damage in trace.damaged.items()] + lost


def _flat(value: Any) -> str:
    """A configuration on one line."""
    if isinstance(value, dict):
        told = {name: inner for name, inner in value.items() if inner not in (None, [], {})}
        first = f"{told.pop('name')}; " if "name" in told else ""
        return f"({first}" + ", ".join(f"{name} {_flat(inner)}" for name, inner in told.items()) + ")"
    return str(value)


def _rows(parts: Sequence[Part]) -> Iterable[Sequence[object]]:
    for part in parts:
        first = (part.name or "(network)", part.kind, f"{part.units:,} {part.unit}s" if part.units else "")
        for name, size in sorted(part.arrays.items()):
            yield (*first, name, amount(size) if size else "-")
            first = ("", "", "")


def place(found: Any) -> None:
    """What `nissl show` prints: an epoch, a layer, a neuron, or one of its values."""
    out = console()
    if isinstance(found, Epoch):
        layers = [(f"L_{name}", found.trace.place(name).kind, found.trace.units(name)) for name in found.trace.layers]
        out.print(f"E_{found.number}: " + ", ".join(f"{k} {v:.4g}" for k, v in found.scalars.items()), soft_wrap=True)
        out.print(table(("layer", "kind", "units"), layers, right=(2,)))
    elif isinstance(found, LayerCell):
        _layer(out, found)
    elif isinstance(found, Neuron):
        names = found.cell.epoch.trace.classes
        by_class = ("class_mean", "class_std", "attribution")
        rows = [
            (name, _by_class(value, names) if name.endswith(by_class) else number(value))
            for name, value in found.items()
        ]
        out.print(table(("statistic", "value"), rows, found.signature))
    else:
        out.print(number(found), soft_wrap=True)


def _by_class(value: Any, names: Sequence[str]) -> str:
    if len(names) != len(value) or len(names) > ROWS:
        return number(value)
    return "  ".join(f"{name}={one:.3g}" for name, one in zip(names, value, strict=True))


def brushed(found: LayerCell, units: Sequence[int]) -> None:
    """Some neurons of a layer, as an address has them behind brush=."""
    lost = [unit for unit in units if unit >= found.units]
    if lost:
        raise UnknownKey(
            f"Layer {found.name!r} has neurons n_0 to n_{found.units - 1}; there is no n_{lost[0]} to be brushed."
        )
    _layer(console(), found, units)


def _layer(out: Console, found: LayerCell, units: Sequence[int] | None = None) -> None:
    trace, number_ = found.epoch.trace, found.epoch.number
    known = {column.name for spec in trace.specs(found.name) if spec.name == "stats" for column in spec.columns}
    names = [name for name in ("mean", "std", "min", "max", "active", "median", "weight_norm", "bias") if name in known]
    values = [found.array(name) for name in names]
    which = range(found.units) if units is None else units
    shown, of = which[:ROWS], f"{found.units}" if units is None else f"{len(which)} brushed"
    rows = [(f"n_{unit}", *(f"{column[unit]:.4g}" for column in values)) for unit in shown]
    title = f"E_{number_}/L_{found.name}: {len(shown)} of {of} neurons, {len(names)} of {len(known)} statistics shown"
    out.print(table(("neuron", *names), rows, title, right=range(1, len(names) + 1)))


def findings(found: Sequence[Finding]) -> None:
    """What `nissl doctor` and `nissl list` print."""
    made = Table(box=None, show_header=False, pad_edge=False)
    last, marks = "", any(not each.good for each in found)
    for each in found:
        mark = ("ok" if each.good else "--",) if marks else ()
        made.add_row(*map(escape, (each.group if each.group != last else "", *mark, each.name, each.said)))
        last = each.group
    console().print(made)
