"""Files for TensorBoard's projector: tensors, metadata, a sprite of small pictures, and the configuration that names them."""

import shutil
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.pictures import images
from nissl.errors import BadValue

if TYPE_CHECKING:
    from nissl.core.projection import Projection

Array = NDArray[Any]
CONFIG = "projector_config.pbtxt"
LARGEST = 8192
"""The side of the largest picture that browsers show."""


def write(shown: "Projection", folder: Path, overwrite: bool) -> Path:
    """For each moment the features and the places, both as tensors; overwrites only an earlier export, and only if asked."""
    if (folder / CONFIG).exists() and not overwrite:
        raise BadValue(f"There is a projector in {folder} already: name another folder, or say overwrite=True.")
    if folder.exists() and any(folder.iterdir()) and not (folder / CONFIG).exists():
        raise BadValue(f"{folder} is not empty, and no projector: name another folder.")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / "metadata.tsv").write_text(_metadata(shown), encoding="utf-8")
    sprite = _sprite(shown, folder / "sprite.png")
    said = []
    for number, frame in enumerate(shown.frames):
        for what, values in (("features", frame.features), ("places", np.pad(frame.positions, ((0, 0), (0, 1))))):
            name = f"{what}_{number}.tsv" if len(shown.frames) > 1 else f"{what}.tsv"
            np.savetxt(folder / name, values, fmt="%.6g", delimiter="\t")
            told = " ".join(part for part in (shown.samples.layer, frame.name, what) if part)
            said.append(_embedding(told, name, values.shape, sprite))
    (folder / CONFIG).write_text("".join(said), encoding="utf-8")
    return folder


def _embedding(name: str, file: str, shape: tuple[int, ...], sprite: tuple[int, int] | None) -> str:
    lines = [f"tensor_name: {_quoted(name)}", f"tensor_path: {_quoted(file)}", 'metadata_path: "metadata.tsv"']
    lines += [f"tensor_shape: {size}" for size in shape]
    if sprite is not None:
        lines.append(
            f'sprite {{ image_path: "sprite.png" single_image_dim: {sprite[0]} single_image_dim: {sprite[1]} }}'
        )
    return "embeddings {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _quoted(text: str) -> str:
    """As protocol buffers' text format reads it."""
    inner = "".join(letter if letter.isprintable() and letter not in '"\\' else "_" for letter in text)
    return f'"{inner}"'


def _metadata(shown: "Projection") -> str:
    """A line for each sample, under a head: class, and what it was taken for at each moment."""
    columns: list[tuple[str, list[str]]] = [("sample", [str(number) for number in range(len(shown))])]
    names = [_cell(name) for name in shown.classes]

    def said(numbers: Array) -> list[str]:
        return [names[n] if 0 <= n < len(names) else "-" if n < 0 else str(n) for n in numbers.tolist()]

    if shown.labels is not None:
        columns.insert(0, ("class", said(shown.labels)))
    columns += [
        (_cell(f"predicted {frame.name}".strip()), said(frame.moment.predicted))
        for frame in shown.frames
        if frame.moment.predicted is not None
    ]
    head = "\t".join(name for name, _ in columns)
    rows = ["\t".join(row) for row in zip(*(values for _, values in columns), strict=True)]
    return "\n".join([head, *rows, ""])


def _cell(text: str) -> str:
    """Tabs and line ends would end a cell."""
    return " ".join(text.split()) or "-"


def _sprite(shown: "Projection", path: Path) -> tuple[int, int] | None:
    """All inputs in one square picture, row by row, as many across as down; (width, height) of one, None where they are no images."""
    pixels = images(shown.samples.inputs)
    if pixels is None:
        return None
    across = int(np.ceil(np.sqrt(len(pixels))))
    thin = -(-across * max(pixels.shape[1:3]) // LARGEST)
    pixels = pixels[:, ::thin, ::thin]
    height, width = pixels.shape[1:3]
    if across * max(height, width) > LARGEST:
        return None
    sheet = np.full((across * across, height, width, 3), 255, np.uint8)
    sheet[: len(pixels)] = pixels
    whole = sheet.reshape(across, across, height, width, 3).swapaxes(1, 2).reshape(across * height, across * width, 3)
    path.write_bytes(png(whole))
    return width, height


def png(pixels: Array) -> bytes:
    """(row, column, red green blue) from 0 to 255 as a PNG."""
    rows, columns = pixels.shape[:2]
    raw = np.zeros((rows, 1 + 3 * columns), np.uint8)  # each row says first by which filter it goes: 0, none
    raw[:, 1:] = pixels.reshape(rows, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(raw.tobytes(), 6)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
