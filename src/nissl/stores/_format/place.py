"""Where the files of a run are: what reading and writing it takes, in a folder and in an object store alike."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, Self, TypeVar

import google_crc32c

from nissl.errors import DamagedTrace

LARGEST_JSON = 1 << 30
_COMMIT = re.compile(r"(\d{8,15})\.json")
_SEGMENT = re.compile(r"E_(\d{8,15})\.r(\d{5})\.safetensors")
_TAIL = len(b',"crc32c":"01234567"}\n')
_T = TypeVar("_T")

Identity = tuple[Any, int, int]
"""Which file it was that was read: inode or ETag, size, time in nanoseconds."""


class Opened(Protocol):
    """A file that is being read; what is read is of one file, though another may take its name meanwhile."""

    def at(self, begin: int, size: int) -> bytes:
        """So many bytes from there, fewer where the file ends before."""

    def end(self, size: int) -> bytes:
        """The last bytes."""

    def into(self, begin: int, raw: memoryview) -> int:
        """Fill this from there on; how many bytes there were."""

    def many(self, spans: Sequence[tuple[int, int]]) -> Iterable[bytes]:
        """Several spans (begin, size), in this order."""

    @property
    def identity(self) -> Identity:
        """Which file it is; after something has been read of it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class Hold(Protocol):
    """The right to write a run, until it is released, or lost."""

    @property
    def held(self) -> bool: ...

    def assure(self) -> None:
        """TraceBusy if somebody else has it by now."""

    def release(self) -> None: ...


class Place(ABC):
    """One run's files by their names in it, such as "_hot/E_00000003.r00000.safetensors".

    A file appears whole or not at all. What is not there is a FileNotFoundError, whatever else fails an OSError.
    """

    index, group, sealing, lock_name = "index.json", "zarr.json", "_sealing", "_lock"
    hot, commits, ranks, damaged = "_hot", "_commits", "_ranks", "_damaged"
    fenced = False
    """Whether somebody else may write here though the lock is ours: then nothing of theirs is replaced."""
    threads, threads_heavy = 1, 4  # unpacking lets go of the interpreter; more at once would only cost memory

    def __init__(self, root: object):
        self.root = root

    def segment(self, epoch: int, rank: int) -> str:
        return f"{self.hot}/E_{epoch:08d}.r{rank:05d}.safetensors"

    def commit(self, epoch: int) -> str:
        return f"{self.commits}/{epoch:08d}.json"

    def gone(self, rank: int) -> str:
        """The mark of a rank from which nothing more will come."""
        return f"{self.ranks}/{rank:05d}"

    def segments(self) -> dict[tuple[int, int], Identity]:
        """Every segment by epoch and rank."""
        return {(int(m[1]), int(m[2])): found for m, found in self._matching(self.hot, _SEGMENT)}

    def committed(self) -> dict[int, Identity]:
        """Every commit record by epoch, in order."""
        return dict(sorted((int(m[1]), found) for m, found in self._matching(self.commits, _COMMIT)))

    def _matching(self, folder: str, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Identity]]:
        for name, found in self.listed(folder):
            match = pattern.fullmatch(name)
            if match:
                yield match, found

    def exists(self, name: str) -> bool:
        try:
            self.identity(name)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def write_json(self, name: str, content: dict[str, Any], *, new: bool = False) -> int:
        """A JSON file of ours: its last member is the checksum of every byte before it."""
        body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()[:-1]
        return self.write(name, [body, f',"crc32c":"{google_crc32c.value(body):08x}"}}\n'.encode()], new=new)

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of ours; DamagedTrace where it is not what was written."""
        data = self.read(name)
        body, tail = data[:-_TAIL], data[-_TAIL:]
        if tail != f',"crc32c":"{google_crc32c.value(body):08x}"}}\n'.encode():
            raise DamagedTrace(f"{self.where(name)}: its checksum is missing or differs.")
        return parsed(self.where(name), data)

    def each(self, work: Callable[[_T], object], items: Iterable[_T], *, heavy: bool = False) -> None:
        """Do this with every item: several at once where waiting, or (`heavy`) unpacking, is most of it."""
        todo, threads = list(items), self.threads_heavy if heavy else self.threads
        if threads < 2 or len(todo) < 2:
            for item in todo:
                work(item)
        else:
            with ThreadPoolExecutor(min(threads, len(todo))) as pool:
                list(pool.map(work, todo))

    @abstractmethod
    def where(self, name: str) -> str:
        """The whole address of a file, for messages."""

    @abstractmethod
    def begin(self) -> None:
        """Make it possible to take the lock."""

    @abstractmethod
    def prepare(self) -> None:
        """Make it ready to be written, and remove what was half written; by the holder of the lock."""

    @abstractmethod
    def lock(self) -> Hold:
        """Become its only writer; TraceBusy if there is another."""

    @abstractmethod
    def identity(self, name: str) -> Identity:
        """Which file this is."""

    @abstractmethod
    def listed(self, folder: str) -> Iterator[tuple[str, Identity]]:
        """What a folder holds; one that is missing holds nothing."""

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Every file's bytes, by name."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All of a small file."""

    @abstractmethod
    def open(self, name: str, expected: Identity | None = None) -> Opened:
        """A file to be read in parts; FileNotFoundError, then or while reading, if it is not the expected one."""

    @abstractmethod
    def write(self, name: str, pieces: Iterable[Any], *, new: bool = False) -> int:
        """Make a file of these pieces, all at once; `new`: FileExistsError if there is one. Returns its bytes."""

    @abstractmethod
    def remove(self, *names: str) -> None:
        """Remove files, in this order, if they are there."""

    @abstractmethod
    def remove_folder(self, folder: str = "") -> None:
        """Remove everything below."""

    @abstractmethod
    def keep(self, name: str, kept: str) -> None:
        """Let `_damaged/<kept>` hold what a file holds, if that can be done."""


def parsed(where: str, data: bytes) -> dict[str, Any]:
    """A JSON object."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedTrace(f"{where}: not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise DamagedTrace(f"{where}: not a JSON object.")
    return content


def too_large(where: str, size: int) -> DamagedTrace:
    """The error for a small file that is none."""
    return DamagedTrace(f"{where}: {size} bytes is too much for what it should be.")
