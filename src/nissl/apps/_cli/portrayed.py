"""What `nissl portrait` understands, prints and writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nissl.apps._cli.screens import ROWS, console, table
from nissl.core.portraits import Portraits
from nissl.errors import BadValue
from nissl.studies.portrait import Drawn

PICTURES, TRIED = (".png", ".svg", ".pdf"), 5


def meant(words: Sequence[str] | None) -> Any:
    """Classes by number or name; numbers of which one has a point: what outputs shall come near."""
    if words is None:
        return None
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if numbers and any("." in word or "e" in word.lower() for word in words):
        return numbers
    return [int(word) if word.lstrip("-").isdigit() else word for word in words]


def checked(files: Sequence[Path]) -> None:
    """What can't be written is refused before anything is drawn."""
    for file in files:
        if file.suffix.lower() not in (*PICTURES, ".npz"):
            raise BadValue(f"{file}: portraits are written as {', '.join(PICTURES)} or .npz.")


def shown(found: Drawn, files: Sequence[Path]) -> None:
    """What was measured, what a search tried, and the files."""
    says, last = console(), found.last
    says.print(repr(last)[1:-1], markup=False, soft_wrap=True)
    rows = last.rows()
    columns = list(rows[0])
    cells = [[_cell(row[name]) for name in columns] for row in rows[:ROWS]]
    says.print(table([name.replace("_", " ") for name in columns], cells, right=range(1, len(columns))))
    if len(rows) > ROWS:
        says.print(f"{ROWS} of {len(rows)} shown", soft_wrap=True)
    if last.tried:
        _tried(last)
    for file in files:
        if file.suffix.lower() == ".npz":
            last.save(file)
        else:
            from nissl.apps.figure import paint

            paint(found.view.describe(), file)
        says.print(f"written: {file}", markup=False, soft_wrap=True)


def _tried(last: Portraits) -> None:
    """The best recipes, as they could be asked for again."""
    rows = [
        (
            f"{one.merit:.3f}", _cell(one.probability), _cell(one.realism), one.steps,
            " ".join(f"--{name} {value}" for name, value in one.options.items()),
        )
        for one in last.tried[:TRIED]
    ]  # fmt: skip
    says = console()
    says.print(f"{len(rows)} of {len(last.tried)} recipes that were tried, the best first", soft_wrap=True)
    says.print(table(("merit", "p", "realism", "steps", "recipe"), rows, right=(0, 1, 2, 3)))


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else f"{value:.4g}"
