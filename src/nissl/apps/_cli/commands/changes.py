"""`nissl changes`: what it takes, prints and writes."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter


def changes(
    run: Annotated[str, Parameter(help="The trace's folder, or its address (s3://bucket/run).")],
    other: Annotated[str | None, Parameter(help="A second trace: what differs between the two.")] = None,
    *,
    level: Annotated[float, Parameter(help="The share of false discoveries that is allowed.")] = 0.05,
    lasting: Annotated[int, Parameter(help="For how many recorded epochs something must stay to count.")] = 3,
    seed: Annotated[int, Parameter(help="Decides the bootstrap.")] = 0,
    out: Annotated[Path | None, Parameter(help="A folder for changes.json, tables and pictures.")] = None,
) -> None:
    """What stays the same in a run and what changes, when; of two runs, which units answer to which and what differs.

    Examples: `nissl changes runs/digits`; `nissl changes runs/digits --out seen`; `nissl changes runs/seed_0 runs/seed_1`.
    """
    from nissl.apps._cli.screens import console
    from nissl.studies.changes import changes as study

    found: Any = (
        study(run, other, level=level, lasting=lasting, seed=seed)
        if other
        else study(run, level=level, lasting=lasting, seed=seed)
    )
    says = console()
    says.print(found)
    if out is None:
        return
    found.save(out / "changes.json")
    _pictures(found, out)
    says.print(f"written: {out}/", soft_wrap=True)


def _pictures(found: Any, out: Path) -> None:
    from nissl.apps._cli.screens import console
    from nissl.core.change.twins import Twins as Pairs
    from nissl.errors import MissingDependency
    from nissl.views.changes import Changes
    from nissl.views.likeness import Likeness
    from nissl.views.twins import Twins

    two = isinstance(found, Pairs)
    views = (
        {"twins": Twins(found)}
        if two
        else {"changes": Changes(found.trace, found), "likeness": Likeness(found.trace, found)}
    )
    try:
        from nissl.apps.figure import paint

        for name, view in views.items():
            paint(view.describe(), out / f"{name}.png")
        for name in ("table",) if two else ("table", "points", "events", "drift"):
            getattr(found, name).to_csv(out / f"{name}.csv", index=False)
    except MissingDependency as error:
        console().print(f"Not everything: {error}", soft_wrap=True)
