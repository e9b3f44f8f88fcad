"""Where the files of a run are, and the only ways in which one appears: whole, or not at all."""

import json
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import google_crc32c

from nissl.errors import DamagedTrace

LARGEST_JSON = 1 << 30
_COMMIT = re.compile(r"(\d{8,15})\.json")
_SEGMENT = re.compile(r"E_(\d{8,15})\.r(\d{5})\.safetensors")
_TAIL = len(b',"crc32c":"01234567"}\n')

Identity = tuple[int, int, int]
"""Which file it was that was read: inode, size, time."""


class Place:
    """The folder of one run. `power`: what was written has reached the disk before its writer goes on."""

    def __init__(self, root: Path, *, power: bool = False):
        self.root, self.power = root, power
        self.index, self.group = root / "index.json", root / "zarr.json"
        self.hot, self.commits, self.damaged = root / "_hot", root / "_commits", root / "_damaged"
        self.sealing, self.lock, self.ranks = root / "_sealing", root / "_lock", root / "_ranks"
        self._token = secrets.token_hex(4)

    def segment(self, epoch: int, rank: int) -> Path:
        return self.hot / f"E_{epoch:08d}.r{rank:05d}.safetensors"

    def commit(self, epoch: int) -> Path:
        return self.commits / f"{epoch:08d}.json"

    def gone(self, rank: int) -> Path:
        """The mark of a rank from which nothing more will come."""
        return self.ranks / f"{rank:05d}"

    def segments(self) -> dict[tuple[int, int], Identity]:
        """Every segment by epoch and rank."""
        return {(int(m[1]), int(m[2])): found for m, found in _listed(self.hot, _SEGMENT)}

    def committed(self) -> dict[int, Identity]:
        """Every commit record by epoch, in order."""
        return dict(sorted((int(m[1]), found) for m, found in _listed(self.commits, _COMMIT)))

    def write(self, path: Path, pieces: Iterable[Any], *, new: bool = False) -> int:
        """Make a file of these pieces, all at once; `new`: FileExistsError if there is one. Returns its bytes."""
        temporary = self.hot / f"{self._token}-{threading.get_ident()}.tmp"
        try:
            with temporary.open("wb") as file:
                size = sum(file.write(piece) for piece in pieces)
                file.flush()
                if self.power:
                    os.fsync(file.fileno())
            self.folder(path.parent)
            _link(temporary, path) if new else temporary.replace(path)
            self.sync(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink()
        return size

    def folder(self, path: Path) -> None:
        """Make a folder, and those above it, as lasting as files."""
        if not path.is_dir():
            self.folder(path.parent)
            path.mkdir(exist_ok=True)
            self.sync(path.parent)

    def write_json(self, path: Path, content: dict[str, Any], *, new: bool = False) -> int:
        """A JSON file of ours: its last member is the checksum of every byte before it."""
        body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()[:-1]
        return self.write(path, [body, f',"crc32c":"{google_crc32c.value(body):08x}"}}\n'.encode()], new=new)

    def sync(self, folder: Path) -> None:
        """Make the names in a folder last, where that was asked for."""
        if self.power and os.name == "posix":
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of ours; DamagedTrace where it is not what was written."""
    data = read_bytes(path)
    body, tail = data[:-_TAIL], data[-_TAIL:]
    if tail != f',"crc32c":"{google_crc32c.value(body):08x}"}}\n'.encode():
        raise DamagedTrace(f"{path}: its checksum is missing or differs.")
    return parsed(path, data)


def read_bytes(path: Path) -> bytes:
    """All of a small file."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_JSON:
            raise DamagedTrace(f"{path}: {size} bytes is too much for what it should be.")
        return file.read()


def parsed(path: Path, data: bytes) -> dict[str, Any]:
    """A JSON object."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedTrace(f"{path}: not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise DamagedTrace(f"{path}: not a JSON object.")
    return content


def identity(stat: os.stat_result) -> Identity:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _listed(folder: Path, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Identity]]:
    """What a folder holds; one that is missing holds nothing, and so does a file that goes while we look."""
    with suppress(FileNotFoundError), os.scandir(folder) as found:
        for item in found:
            match = pattern.fullmatch(item.name)
            if match:
                with suppress(FileNotFoundError):
                    yield match, identity(item.stat())


def _link(temporary: Path, path: Path) -> None:
    """Give a file its name unless that is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links here (exFAT, some network drives); the lock already keeps other writers away
        if path.exists():
            raise FileExistsError(f"{path} exists.") from None
        temporary.replace(path)
