"""Pictures sorted into one folder a class, in a directory or a zip."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue, DamagedData, MissingData, MissingDependency

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}


@dataclass(frozen=True)
class Catalogue:
    """The pictures of a directory or zip, sorted by name; none of them is opened yet."""

    where: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, where: Path) -> "Catalogue":
        if where.is_dir():
            found = [path.relative_to(where).as_posix() for path in where.rglob("*") if path.is_file()]
        elif where.is_file():
            with _opened(where) as archive:
                found = archive.namelist()
        else:
            raise MissingData(f"There are no pictures at {where}: expected a folder or a zip with one folder a class.")
        names = sorted(name for name in found if _is_picture(PurePosixPath(name)))
        if not names:
            raise MissingData(f"{where} holds no pictures in class folders, such as cat/0001.png.")
        return cls(where, tuple(names))

    @property
    def labels(self) -> tuple[str, ...]:
        """Each picture's class: the name of the folder that it lies in."""
        return tuple(PurePosixPath(name).parent.name for name in self.names)

    def read(self, rows: Sequence[int], size: int | None, gray: bool) -> NDArray[np.uint8]:
        """The chosen pictures as (picture, channel, height, width); `size` makes all of them squares of that side."""
        images: NDArray[np.uint8] | None = None
        for number, (name, content) in enumerate(self._contents(rows)):
            image = self._decode(name, content, size, gray)
            if images is None:
                images = np.empty((len(rows), *image.shape), np.uint8)
            if image.shape != images.shape[1:]:
                raise BadValue(
                    f"{self.where}: {name} has {image.shape[-1]} x {image.shape[-2]} pixels, the ones before it"
                    f" {images.shape[-1]} x {images.shape[-2]}. Say size=... to make them all alike."
                )
            images[number] = image
        if images is None:
            raise BadValue(f"{self.where}: no pictures were asked for.")
        return images

    def _contents(self, rows: Sequence[int]) -> Iterator[tuple[str, bytes]]:
        names = [self.names[row] for row in rows]
        if self.where.is_dir():
            yield from ((name, (self.where / name).read_bytes()) for name in names)
            return
        with _opened(self.where) as archive:
            for name in names:
                yield name, archive.read(name)

    def _decode(self, name: str, content: bytes, size: int | None, gray: bool) -> NDArray[np.uint8]:
        pillow = _pillow()
        try:
            picture = pillow.open(BytesIO(content)).convert("L" if gray else "RGB")
        except (OSError, SyntaxError, ValueError) as problem:  # Pillow's own for broken files of one format or another
            raise DamagedData(f"{self.where}: {name} is not a picture that can be read: {problem}.") from problem
        if size is not None and picture.size != (size, size):
            picture = picture.resize((size, size), pillow.Resampling.BILINEAR)
        pixels = np.asarray(picture)
        return pixels[None] if gray else pixels.transpose(2, 0, 1)


def scaled(images: NDArray[np.uint8], mean: Sequence[float], std: Sequence[float]) -> NDArray[np.float32]:
    """(pixel / 255 - mean) / std by channel, with one copy only."""
    values = images.astype(np.float32)
    values /= 255
    values -= np.asarray(mean, np.float32).reshape(-1, 1, 1)
    values /= np.asarray(std, np.float32).reshape(-1, 1, 1)
    return values


def _is_picture(path: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return len(path.parts) > 1 and path.suffix.lower() in _SUFFIXES and not hidden


@contextmanager
def _opened(where: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(where) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error) as problem:
        raise DamagedData(f"{where} is not a zip that can be read: {problem}.") from problem


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as lost:
        raise MissingDependency("Reading pictures needs Pillow: pip install 'nissl[images]'.") from lost
    return Image
