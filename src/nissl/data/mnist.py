"""MNIST from its four IDX files."""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl.core.dataset import DataSet, Examples, Splits
from nissl.data._files.pictures import scaled
from nissl.data._files.sources import Source, home, verify
from nissl.errors import DamagedData


@dataclass(frozen=True)
class Mnist(DataSet):
    """60,000 and 10,000 digits of 28 x 28 pixels, scaled to -1..1 unless `mean` and `std` say otherwise."""

    folder: str | None = None
    """Holds the files, as .gz or unpacked; default $NISSL_DATA/mnist or ~/.cache/nissl/mnist."""
    download: bool = False
    source: str = "https://ossci-datasets.s3.amazonaws.com/mnist"
    limit: int | None = None
    """At most so many of the training and of the test examples."""
    mean: float = 0.5
    std: float = 0.5

    # Of the unpacked files: how they were packed is nobody's business.
    digests: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "train-images-idx3-ubyte": "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        }
    )

    def load(self) -> Splits:
        return Splits(self._examples("train"), self._examples("t10k"), tuple(map(str, range(10))))

    def _examples(self, part: str) -> Examples:
        images = self._array(f"{part}-images-idx3-ubyte")[: self.limit, None]
        labels = self._array(f"{part}-labels-idx1-ubyte")[: self.limit]
        return Examples(scaled(images, [self.mean], [self.std]), labels.astype(np.int64))

    def _array(self, name: str) -> NDArray[Any]:
        folder = home("mnist", self.folder)
        places = [place / f"{name}{end}" for place in (folder, folder / "MNIST" / "raw") for end in (".gz", "")]
        source = Source(places, lambda content, where: self._unpacked(name, content, where), f"{self.source}/{name}.gz")
        content = source.read(self.download)
        dimensions = content[3]
        shape = np.frombuffer(content, ">i4", dimensions, 4)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)

    def _unpacked(self, name: str, content: bytes, where: str) -> bytes:
        try:
            raw = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        except (OSError, EOFError, zlib.error) as problem:
            raise DamagedData(
                f"{where} cannot be unpacked: {problem}. Get it again, or say download=True."
            ) from problem
        return verify(raw, self.digests[name], where)
