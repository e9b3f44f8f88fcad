"""TensorBoard's event files, written without TensorBoard: numbers, pictures and a graph.

A file is a row of records, each with its length and checksums; a record is an Event of TensorFlow's protocol buffers, of
which only a handful of fields are needed.
"""

import os
import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import google_crc32c
from numpy.typing import NDArray

from nissl.core.projector import png

Array = NDArray[Any]
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


class Board:
    """An open event file; `tensorboard --logdir FOLDER` shows what is in it, also while it grows."""

    def __init__(self, folder: str | Path):
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        self.path = where / f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.nissl"
        self._file = self.path.open("xb")
        self._event(_field(3, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        self._summary(tag, _key(2, _FOUR) + struct.pack("<f", value), step)

    def image(self, tag: str, pixels: Array, step: int) -> None:
        """(row, column, red green blue) from 0 to 255."""
        rows, columns = pixels.shape[:2]
        picture = _number(1, rows) + _number(2, columns) + _number(3, 3) + _field(4, png(pixels))
        self._summary(tag, _field(4, picture), step)

    def graph(self, nodes: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        """(name, operation, names of those that feed it); a slash in a name opens a block."""
        made = b"".join(
            _field(1, _field(1, name.encode()) + _field(2, kind.encode()) + b"".join(_field(3, one.encode()) for one in fed))
            for name, kind, fed in nodes
        )  # fmt: skip
        self._event(_field(4, made + _field(4, _number(1, 27))))

    def _summary(self, tag: str, value: bytes, step: int) -> None:
        self._event(_number(2, step) + _field(5, _field(1, _field(1, tag.encode()) + value)))

    def _event(self, content: bytes) -> None:
        event = _key(1, _EIGHT) + struct.pack("<d", time.time()) + content
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _checksum(data: bytes) -> bytes:
    """As TensorFlow masks it, so that a checksum of checksums is none."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _field(number: int, content: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _key(number, _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
