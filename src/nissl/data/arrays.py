"""The user's own arrays, from .npz or .npy files."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.dataset import DataSet, Examples, Splits
from nissl.data._files.splitting import split
from nissl.errors import BadValue, DamagedData, MissingData, listing


@dataclass(frozen=True)
class Arrays(DataSet):
    """An .npz with x and y (or x_train, y_train, x_test, y_test), or an .npy of x beside one of y; values as they are.

    Integer y are classes, other y values to be predicted.
    """

    path: str
    labels: str | None = None
    """The .npy of y, where `path` is an .npy of x."""
    classes: tuple[str, ...] = ()
    """The classes' names; their numbers where none are given."""
    tokens: bool = False
    """x holds token numbers, kept as integers; otherwise x becomes float32."""
    test_share: float = 0.2

    def load(self) -> Splits:
        arrays = self._read()
        kind = np.int64 if self.tokens else np.float32
        if "x" in arrays:
            train, test = split(arrays["y"], self.test_share).of(arrays["x"].astype(kind), arrays["y"])
        else:
            train = Examples(arrays["x_train"].astype(kind), arrays["y_train"])
            test = Examples(arrays["x_test"].astype(kind), arrays["y_test"])
        try:
            return Splits(train, test, self._names(train.y, test.y))
        except BadValue as problem:
            raise DamagedData(f"{self.path}: {problem}") from problem

    def _read(self) -> Mapping[str, NDArray[Any]]:
        found = _load(self.path)
        if isinstance(found, np.ndarray):
            if self.labels is None:
                raise MissingData(f"{self.path} holds x only; say labels=... to name the .npy that holds y.")
            found = {"x": found, "y": _load(self.labels)}
        for wanted in (("x", "y"), ("x_train", "y_train", "x_test", "y_test")):
            if all(isinstance(found.get(name), np.ndarray) for name in wanted):
                return _paired(self.path, found, wanted)
        raise DamagedData(
            f"{self.path} holds the arrays {listing(found)}; expected x and y, or x_train, y_train, x_test and y_test."
        )

    def _names(self, *labels: NDArray[Any]) -> tuple[str, ...]:
        if self.classes or not all(np.issubdtype(y.dtype, np.integer) and y.size for y in labels):
            return tuple(self.classes)
        return tuple(str(number) for number in range(max(int(y.max()) for y in labels) + 1))


def _paired(path: str, found: Mapping[str, NDArray[Any]], wanted: tuple[str, ...]) -> Mapping[str, NDArray[Any]]:
    for x, y in zip(wanted[::2], wanted[1::2], strict=True):
        if found[x].ndim < 2 or found[y].ndim < 1 or len(found[x]) != len(found[y]):
            raise DamagedData(
                f"{path}: {x} {found[x].shape} and {y} {found[y].shape} must have one row an example, the same number."
            )
    return {name: found[name] for name in wanted}


def _load(path: str) -> Any:
    """An array, or a dictionary of arrays."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise MissingData(
            f"There is no {file}: expected an .npz or .npy file, such as numpy.savez('{path}', x=x, y=y)."
        )
    try:
        with file.open("rb") as opened:
            loaded = np.load(opened, allow_pickle=False)
            return loaded if isinstance(loaded, np.ndarray) else dict(loaded)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise DamagedData(f"{file} is not an .npz or .npy file that can be read: {problem}.") from problem
