"""The user's own pictures, sorted into one folder a class."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nissl.core.dataset import DataSet, Examples, Splits
from nissl.data._files.pictures import Catalogue, scaled
from nissl.data._files.splitting import split


@dataclass(frozen=True)
class Folder(DataSet):
    """A folder or zip of class folders, or a folder holding `train` and `test`; pixels scaled to -1..1.

    Without `train` and `test` a fixed share of every class is kept for the test.
    """

    path: str
    size: int | None = None
    """Make every picture a square of so many pixels; None takes them as they are, all alike."""
    gray: bool = False
    limit: int | None = None
    """At most so many of the training and of the test examples."""
    test_share: float = 0.2

    def load(self) -> Splits:
        whole = Path(self.path).expanduser()
        train, test = (_part(whole, name) for name in ("train", "test"))
        if train and test:
            catalogues = Catalogue.of(train), Catalogue.of(test)
            random = np.random.default_rng(0)
            rows = tuple(random.permutation(len(catalogue.names)) for catalogue in catalogues)
        else:
            catalogues = (Catalogue.of(whole),) * 2
            parts = split(np.unique(catalogues[0].labels, return_inverse=True)[1], self.test_share)
            rows = parts.train, parts.test
        classes = tuple(sorted({label for catalogue in catalogues for label in catalogue.labels}))
        return Splits(
            self._examples(catalogues[0], rows[0].tolist(), classes),
            self._examples(catalogues[1], rows[1].tolist(), classes),
            classes,
        )

    def _examples(self, catalogue: Catalogue, rows: list[int], classes: tuple[str, ...]) -> Examples:
        rows = rows[: self.limit]
        numbers = np.unique([*classes, *catalogue.labels], return_inverse=True)[1][len(classes) :]
        return Examples(scaled(catalogue.read(rows, self.size, self.gray), [0.5], [0.5]), numbers[rows])


def _part(whole: Path, name: str) -> Path | None:
    return next((place for place in (whole / name, whole / f"{name}.zip") if place.exists()), None)
