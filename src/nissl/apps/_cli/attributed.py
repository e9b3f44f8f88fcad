"""What `nissl attribute` prints and writes."""

from pathlib import Path
from typing import Any

import numpy as np

from nissl.apps._cli.screens import console, table
from nissl.core.attribution import Attribution
from nissl.errors import BadValue
from nissl.studies.attribution import Explained

NUMBERS, PICTURES = (".npy", ".npz"), (".png", ".svg", ".pdf")
ROWS = 20


def check(output: Path) -> None:
    """Before anything is computed."""
    if output.suffix.lower() not in (*NUMBERS, *PICTURES):
        raise BadValue(f"{output}: a picture ends in {', '.join(PICTURES)}, numbers in {' or '.join(NUMBERS)}.")


def shown(done: Explained, output: Path) -> None:
    """A line for each column, and where the file is."""
    says, found = console(), done.found
    rows = [(name, one.by, *_told(one)) for name, one in list(found.items())[:ROWS]]
    first = next(iter(found.values()))
    says.print(f"{len(first)} examples, {first.target}{_left(len(found))}", markup=False, soft_wrap=True)
    says.print(table(("column", "method", "shape", "mean score", "gap"), rows, right=(3, 4)))
    for note in dict.fromkeys(note for one in found.values() for note in one.notes):
        says.print(f"activations {note}" if note.startswith(("by the rule", "as they")) else note, markup=False)
    _written(done, output)
    says.print(f"written: {output}", markup=False, soft_wrap=True)


def _told(one: Attribution) -> tuple[str, str, str]:
    score = "" if one.scores is None else f"{one.scores.mean():.3g}"
    gap = "" if one.gap is None else f"{np.abs(one.gap).max():.2g}"
    return " x ".join(map(str, one.shape)), score, gap


def _left(count: int) -> str:
    return f"; {ROWS} of {count} columns listed" if count > ROWS else ""


def _written(done: Explained, output: Path) -> None:
    ending = output.suffix.lower()
    if ending in PICTURES:
        from nissl.apps.figure import paint

        paint(done.picture.describe(), output)
        return
    if output.exists():
        raise BadValue(f"{output} is there already; nothing is overwritten: name another file.")
    output.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: one.values for name, one in done.found.items()}
    if ending == ".npz":
        np.savez(output, **arrays)  # numpy before 2.2 would keep allow_pickle as one more array
        return
    np.save(output, next(iter(arrays.values())) if len(arrays) == 1 else np.stack(list(arrays.values())))
