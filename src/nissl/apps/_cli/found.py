"""What `nissl structure` prints and writes."""

from pathlib import Path

from rich.console import Console

from nissl.apps._cli.screens import console, table
from nissl.core.structure import Structure
from nissl.core.structures import Structures
from nissl.errors import MissingDependency
from nissl.studies.structure import Found

ROWS = 20


def shown(found: Found, out: Path | None) -> None:
    """Tables; with `out` also structure, report and pictures as files."""
    says = console()
    if found.one is not None:
        says.print(repr(found.one)[1:-1], markup=False, soft_wrap=True)
        _units(says, found.one)
    if found.all is not None:
        _classes(says, found, found.all)
    if found.report is not None:
        says.print(found.report)
    if found.committed is not None:
        says.print(f"written: {found.smaller}; {found.committed}", markup=False, soft_wrap=True)
        load = f'torch.load("{found.smaller}", weights_only=False)'
        says.print(f"next: {load}, where the model's classes can be imported", markup=False, soft_wrap=True)
    if out is not None:
        _written(found, out)
        says.print(f"written: {out}/", soft_wrap=True)


def _units(says: Console, one: Structure) -> None:
    rows = [
        (number, unit.layer, f"n_{unit.unit}", f"{unit.score:+.4g}", f"{unit.low:+.3g} to {unit.high:+.3g}")
        for number, unit in enumerate(one.units[:ROWS], 1)
    ]
    shown = f"{len(rows)} of {len(one)} units shown; together they add {one.score:+.4g} to the {one.recipe['metric']}"
    columns = ("", "layer", "unit", "score", "95 % interval")
    says.print(f"{shown}; by {one.recipe['by']}", markup=False, soft_wrap=True)
    says.print(table(columns, rows, right=(0, 3, 4)))


def _classes(says: Console, found: Found, family: Structures) -> None:
    rows = []
    left = found.deletions
    for place, (name, one) in enumerate(family.items()):
        top = one.units[0]
        told = ["", ""]
        if left is not None:
            own = left.classes.index(name)
            others = [value for k, value in enumerate(left.accuracy[place]) if k != own]
            told = [f"{100 * left.accuracy[place, own]:.1f} %", f"{100 * sum(others) / max(len(others), 1):.1f} %"]
        rows.append((name, f"{len(one):,}", f"{top.layer} n_{top.unit}", f"{top.score:+.3g}", *told))
    columns = ("class", "units", "first", "score", "accuracy when deleted", "others then")
    judged = "held-out examples" if left is not None and left.held_out else "the examples that they were found with"
    says.print(f"structures of {len(family)} classes; accuracy on {judged}", soft_wrap=True)
    says.print(table(columns, rows, right=(1, 3, 4, 5)))


def _written(found: Found, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for one in [found.one] if found.one is not None else list((found.all or {}).values()):
        safe = "".join(letter if letter.isalnum() else "_" for letter in one.target)
        one.save(out / f"structure_{safe}.json")
    if found.report is not None:
        found.report.save(out / "report.json")
    try:
        from nissl.apps.figure import paint

        for name, view in found.pictures.items():
            paint(view.describe(), out / f"{name}.png")
    except MissingDependency as error:
        console().print(f"No pictures: {error}", soft_wrap=True)
