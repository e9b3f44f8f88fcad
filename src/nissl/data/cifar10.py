"""CIFAR-10 from its python batches, or from pictures in class folders."""

import io
import pickle
import tarfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl.core.dataset import DataSet, Examples, Splits
from nissl.data._files.pictures import Catalogue, scaled
from nissl.data._files.sources import Source, home, verify
from nissl.errors import DamagedData, MissingData

_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_ARCHIVE = "cifar-10-python.tar.gz"
_INSIDE = "cifar-10-batches-py"


@dataclass(frozen=True)
class Cifar10(DataSet):
    """50,000 and 10,000 colour images of 32 x 32 pixels, standardised by `mean` and `std` of each channel.

    The folder holds the archive, its unpacked batches, or pictures: `train` and `test`, each a folder or a zip with
    one folder a class. Pictures saved as JPEG are lossy copies: networks trained on the originals do worse on them.
    """

    folder: str | None = None
    """Default $NISSL_DATA/cifar10 or ~/.cache/nissl/cifar10."""
    download: bool = False
    source: str = "https://www.cs.toronto.edu/~kriz"
    limit: int | None = None
    """At most so many of the training and of the test examples."""
    mean: tuple[float, float, float] = (0.4914, 0.4822, 0.4465)
    std: tuple[float, float, float] = (0.2470, 0.2435, 0.2616)

    digests: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            _ARCHIVE: "md5:c58f30108f718f92721af3b95e74349a",
            "data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
            "data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "md5:634d18415352ddfa80567beed471001a",
            "data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "md5:40351d587109b95175f43aff81a1287e",
        }
    )

    def load(self) -> Splits:
        folder = home("cifar10", self.folder)
        pictures = [place for part in ("train", "test") if (place := _pictures(folder, part))]
        if len(pictures) == 1:
            raise MissingData(
                f"There is {pictures[0]}, but of train and test, each a folder or a zip, both are needed."
            )
        train, test = [self._seen(place) for place in pictures] or self._gathered(self._batches(folder))
        return Splits(train, test, _CLASSES)

    def _examples(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Examples:
        return Examples(scaled(images, self.mean, self.std), labels)

    def _gathered(self, batches: list[bytes]) -> list[Examples]:
        *train, test = (_batch(content) for content in batches)
        joined = tuple(np.concatenate(arrays) for arrays in zip(*train, strict=True))
        return [self._examples(images[: self.limit], labels[: self.limit]) for images, labels in (joined, test)]

    def _seen(self, where: Path) -> Examples:
        catalogue = Catalogue.of(where)
        rows = np.random.default_rng(0).permutation(len(catalogue.names))[: self.limit]
        names = catalogue.labels
        unknown = sorted(set(names) - set(_CLASSES))
        if unknown:
            raise DamagedData(f"{where} holds the classes {unknown}, which CIFAR-10 does not have: {list(_CLASSES)}.")
        labels = np.array([_CLASSES.index(names[row]) for row in rows])
        return self._examples(catalogue.read(rows.tolist(), None, gray=False), labels)

    def _batches(self, folder: Path) -> list[bytes]:
        """The six batches, the test last, each checked; unpacked where all of them are there, else from the archive."""
        names = [name for name in self.digests if name != _ARCHIVE]
        for place in (folder / _INSIDE, folder):
            files = [place / name for name in names]
            if all(file.is_file() for file in files):
                return [verify(file.read_bytes(), self.digests[file.name], str(file)) for file in files]
        source = Source([folder / _ARCHIVE], self._checked, f"{self.source}/{_ARCHIVE}")
        return list(_members(source.read(self.download), names))

    def _checked(self, content: bytes, where: str) -> bytes:
        return verify(content, self.digests[_ARCHIVE], where)


def _pictures(folder: Path, part: str) -> Path | None:
    return next((place for place in (folder / part, folder / f"{part}.zip") if place.exists()), None)


def _members(archive: bytes, names: list[str]) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for name in names:
            member = tar.extractfile(f"{_INSIDE}/{name}")
            if member is not None:
                yield member.read()


def _batch(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    with warnings.catch_warnings():  # numpy dislikes how Python 2 wrote a dtype
        warnings.simplefilter("ignore")
        batch = pickle.loads(content, encoding="bytes")  # noqa: S301 - its digest has been checked before
    return np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32), np.asarray(batch[b"labels"], np.int64)
