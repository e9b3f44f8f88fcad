"""What `nissl profile` prints of groups of inputs, and the pictures that it writes."""

from pathlib import Path

from nissl.apps._cli.screens import console, table
from nissl.core.profiles import Trait
from nissl.errors import MissingDependency, plural
from nissl.studies.profile import Grouped, Told

ROWS = 24


def shown(done: Grouped, output: Path | None, pictures: Path | None) -> None:
    """A table for each layer: what sets each group apart."""
    says, found = console(), done.profiles
    says.print(repr(found)[1:-1], markup=False, soft_wrap=True)
    for one in done.told:
        says.print(_heading(one, found.answer(one.layer).layer.remark), markup=False, soft_wrap=True)
        columns = ("group", "examples", "units that set it apart (effect size, Hedges' g)", "q < 0.05")
        says.print(table(columns, _rows(done, one), right=(1, 3)))
    says.print(
        "n_20: a unit; +: it says more to this group than to others; ?: not significant", markup=False, soft_wrap=True
    )
    if output is not None:
        says.print(f"written: {output}", markup=False, soft_wrap=True)
        says.print(f'next: nissl.Profiles.load("{output}")', markup=False, soft_wrap=True)
    if pictures is not None:
        _painted(done, pictures)


def _heading(one: Told, remark: str | None) -> str:
    dead = f"; {plural(one.dead, 'unit')} said the same to everything" if one.dead else ""
    told = f"{sum(one.significant.values()):,} of {one.tests:,} contrasts are significant"
    return f"{one.layer}: {plural(one.units, 'unit')}; {told}{dead}{f'; {remark}' if remark else ''}"


def _rows(done: Grouped, one: Told) -> list[tuple[str, ...]]:
    found = done.profiles
    by_group: dict[str, list[Trait]] = {name: [] for name in found.groups}
    for trait in one.traits:
        by_group[trait.group].append(trait)
    rows: list[tuple[str, ...]] = []
    for name, count in list(zip(found.groups, found.counts, strict=True))[:ROWS]:
        told = "  ".join(f"n_{t.unit} {t.effect:+.2f}{'' if t.q < 0.05 else '?'}" for t in by_group[name])
        silent = "nothing to compare" if count > 1 else "too few to compare"
        rows.append((name, f"{int(count):,}", told or silent, f"{one.significant[name]:,}"))
    if len(found.groups) > ROWS:
        rows.append((f"{ROWS} of {len(found.groups)} groups shown", "", "", ""))
    return rows


def _painted(done: Grouped, folder: Path) -> None:
    try:
        from nissl.apps.figure import paint

        for name, view in done.pictures.items():
            paint(view.describe(), folder / f"{''.join(c if c.isalnum() or c in '_-.' else '_' for c in name)}.png")
        console().print(f"written: {folder}/", soft_wrap=True)
    except MissingDependency as error:
        console().print(f"No pictures: {error}", soft_wrap=True)
