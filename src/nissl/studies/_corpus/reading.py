"""corpus.csv and the batches that it names: `file, group[, output index]`, a row for each file of examples."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue, DamagedData, MissingData, NisslError, listing

Array = NDArray[Any]
FILE = "corpus.csv"


@dataclass(frozen=True)
class Row:
    """One file of examples, all of one group."""

    number: int
    """Its line in corpus.csv, counted from 1."""
    file: str
    group: str
    output: int | None
    """The network's output that is right for these examples."""
    count: int
    """How many examples it holds."""


@dataclass(frozen=True)
class Corpus:
    """Rows in their order; groups in alphabetical order, as their numbers are."""

    folder: Path
    rows: tuple[Row, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted({row.group for row in self.rows}))

    @property
    def column(self) -> Array:
        """The group of every example."""
        return np.repeat(np.array([row.group for row in self.rows]), [row.count for row in self.rows])

    @property
    def labelled(self) -> bool:
        """Does every row name its output?"""
        return all(row.output is not None for row in self.rows)

    def files(self) -> dict[str, list[str]]:
        """By group its files, in the order of the rows."""
        return {group: [row.file for row in self.rows if row.group == group] for group in self.groups}

    def batches(self) -> Iterator[tuple[Row, Array]]:
        """File by file; one that holds anything but finite numbers is refused by name."""
        for row in self.rows:
            yield row, loaded(self.folder / row.file, f"row {row.number} of {FILE}")

    def digest(self) -> str:
        """Of all that the rows and their files say."""
        found = hashlib.blake2b(digest_size=16)
        for row in self.rows:
            found.update(f"{row.file}\0{row.group}\0{row.output}\0".encode())
            with (self.folder / row.file).open("rb") as file:
                while part := file.read(1 << 20):
                    found.update(part)
        return found.hexdigest()


def corpus(folder: str | Path) -> Corpus:
    """What corpus.csv in this folder says, checked against the files that it names."""
    place = Path(folder)
    path = place / FILE
    if not path.is_file():
        raise MissingData(f"There is no {path}: a corpus is a folder of .npy files and a {FILE} of file, group lines.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DamagedData(f"{path} is no text: {error}.") from error
    rows = [_row(path, number, cells) for number, cells in _lines(place, text)]
    if not rows:
        raise BadValue(f"{path} names no file: write a line `file, group` for each .npy file.")
    _once(path, rows)
    return Corpus(place, tuple(_counted(place, rows)))


def loaded(path: Path, said: str = "") -> Array:
    """The array of a .npy file, of finite numbers only; `said`: where it is named."""
    array = _opened(path, said)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(1))
        raise DamagedData(
            f"{_named(path, said)} holds NaN or infinity in example{'s'[: len(bad) > 1]} {listing(bad, 5)}."
        )
    return np.ascontiguousarray(array)


def _lines(place: Path, text: str) -> list[tuple[int, list[str]]]:
    """Numbered lines of stripped cells, without empty ones, comments, and a heading."""
    found = [
        (number, [cell.strip() for cell in cells])
        for number, cells in enumerate(csv.reader(text.splitlines(), skipinitialspace=True), 1)
        if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#")
    ]
    heading = found and not found[0][1][0].endswith(".npy") and not (place / found[0][1][0]).exists()
    return found[1:] if heading and len(found) > 1 and found[1][1][0].endswith(".npy") else found


def _row(path: Path, number: int, cells: list[str]) -> Row:
    cells = cells[:-1] if len(cells) == 3 and not cells[2] else cells
    if len(cells) not in (2, 3) or not cells[0] or not cells[1]:
        raise BadValue(
            f"Row {number} of {path} is {', '.join(cells)!r}: each is `file, group` or `file, group, output`."
        )
    if len(cells) == 2:
        return Row(number, cells[0], cells[1], None, 0)
    try:
        output = int(cells[2])
    except ValueError:
        output = -1
    if output < 0:
        raise BadValue(f"Row {number} of {path}: {cells[2]!r} is no number of an output, counted from 0.")
    return Row(number, cells[0], cells[1], output, 0)


def _once(path: Path, rows: list[Row]) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row.file, row)
        if before is not row:
            raise BadValue(
                f"{row.file} is named twice in {path}, in rows {before.number} ({before.group}) and {row.number} "
                f"({row.group}): its examples would count twice."
            )


def _counted(place: Path, rows: list[Row]) -> Iterator[Row]:
    """With how many examples each file holds; all examples must be of one shape."""
    absent = [row for row in rows if not (place / row.file).is_file()]
    if absent:
        named = listing((f"{row.file} (row {row.number})" for row in absent), 5)
        raise MissingData(f"{len(absent)} of {len(rows)} files that {place / FILE} names are not there: {named}.")
    shape: tuple[int, ...] | None = None
    for row in rows:
        array = _opened(place / row.file, f"row {row.number} of {FILE}", "r")
        if shape is not None and array.shape[1:] != shape:
            raise BadValue(
                f"{place / row.file} (row {row.number} of {FILE}) holds examples of the shape {array.shape[1:]}, the rows "
                f"before it of {shape}: one network takes one shape."
            )
        shape = array.shape[1:]
        yield Row(row.number, row.file, row.group, row.output, len(array))


def _opened(path: Path, said: str, mode: Any = None) -> Array:
    try:
        array = np.load(path, mmap_mode=mode, allow_pickle=False)
        if not isinstance(array, np.ndarray):  # an archive of several
            array.close()
            raise DamagedData(f"{_named(path, said)} is an archive: each .npy file holds one array of examples.")
    except NisslError:
        raise
    except FileNotFoundError as error:
        raise MissingData(f"{_named(path, said)} is not there.") from error
    except (ValueError, OSError, EOFError) as error:
        why = "it is no array of numbers" if "pickle" in str(error) else error  # of which numpy says how to trust it
        raise DamagedData(f"{_named(path, said)} can't be read as .npy: {why}") from error
    if array.dtype.kind not in "fiub" or array.ndim < 2 or not array.size:
        raise DamagedData(
            f"{_named(path, said)} holds {array.dtype} of shape {array.shape}: numbers, (example, ...), are needed."
        )
    return array


def _named(path: Path, said: str) -> str:
    return f"{path} ({said})" if said else str(path)
