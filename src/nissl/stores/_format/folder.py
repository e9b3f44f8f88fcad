"""The files of a run in a folder: written under another name and renamed, locked by the operating system."""

import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from nissl.errors import BadValue, DamagedTrace
from nissl.stores._format.lock import Lock
from nissl.stores._format.place import LARGEST_JSON, Identity, Place, too_large


class Folder(Place):
    """The folder of one run. `power`: what was written has reached the disk before its writer goes on."""

    def __init__(self, root: Path, *, power: bool = False):
        super().__init__(root)
        self._path, self._power, self._token = root, power, secrets.token_hex(4)

    def where(self, name: str) -> str:
        return f"{self._path}{os.sep}{name}"

    def begin(self) -> None:
        try:
            self._folder(self._path)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadValue(
                f"{self._path}: {error.filename} is a file, and a trace is a folder; choose another path."
            ) from error

    def prepare(self) -> None:
        _refuse_links(self._path)
        for name in (self.hot, self.commits):
            self._folder(self._path / name)
        for file in (self._path / self.hot).glob("*.tmp"):
            file.unlink()

    def lock(self) -> Lock:
        return Lock(self._path / self.lock_name)

    def identity(self, name: str) -> Identity:
        return _identity((self._path / name).stat())

    def listed(self, folder: str) -> Iterator[tuple[str, Identity]]:
        with suppress(FileNotFoundError), os.scandir(self.where(folder)) as found:
            for item in found:
                with suppress(FileNotFoundError):  # it goes while we look
                    yield item.name, _identity(item.stat())

    def sizes(self) -> dict[str, int]:
        found = {}
        for folder, _, files in os.walk(self._path):
            for name in files:
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    found[path.relative_to(self._path).as_posix()] = path.stat().st_size
        return found

    def read(self, name: str) -> bytes:
        with (self._path / name).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST_JSON:
                raise too_large(self.where(name), size)
            return file.read()

    def open(self, name: str, expected: Identity | None = None) -> "File":
        return File(self._path / name, expected)

    def write(self, name: str, pieces: Iterable[Any], *, new: bool = False) -> int:
        path, temporary = self._path / name, self._path / self.hot / f"{self._token}-{threading.get_ident()}.tmp"
        try:
            with temporary.open("wb") as file:
                size = sum(file.write(piece) for piece in pieces)
                file.flush()
                if self._power:
                    os.fsync(file.fileno())
            self._folder(path.parent)
            _link(temporary, path) if new else temporary.replace(path)
            self._sync(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink()
        return size

    def remove(self, *names: str) -> None:
        for name in names:
            (self._path / name).unlink(missing_ok=True)

    def remove_folder(self, folder: str = "") -> None:
        path = self._path / folder
        for last in (False, True):  # a rank that comes too late may still be writing there
            try:
                shutil.rmtree(path)
            except FileNotFoundError:
                pass
            except OSError:
                if last:
                    raise
            if not path.exists():
                return

    def keep(self, name: str, kept: str) -> None:
        (self._path / self.damaged).mkdir(exist_ok=True)
        file, copy = self._path / name, self._path / self.damaged / kept
        with suppress(OSError):
            try:
                copy.hardlink_to(file)
            except FileExistsError:
                raise
            except OSError:  # no hard links here
                shutil.copyfile(file, copy)

    def _folder(self, path: Path) -> None:
        """Make a folder, and those above it, as lasting as files."""
        if not path.is_dir():
            self._folder(path.parent)
            path.mkdir(exist_ok=True)
            self._sync(path.parent)

    def _sync(self, folder: Path) -> None:
        """Make the names in a folder last, where that was asked for."""
        if self._power and os.name == "posix":
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


class File:
    """An open file: it stays what it was when another takes its name."""

    def __init__(self, path: Path, expected: Identity | None):
        self._file = path.open("rb", buffering=0)
        self.identity = _identity(os.fstat(self._file.fileno()))
        if expected is not None and self.identity != expected:
            self._file.close()
            raise FileNotFoundError(f"{path} is another file now.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def at(self, begin: int, size: int) -> bytes:
        self._file.seek(begin)
        data = more = self._file.read(size)
        while more and len(data) < size:
            more = self._file.read(size - len(data))
            data += more
        return data

    def end(self, size: int) -> bytes:
        return self.at(max(self.identity[1] - size, 0), size)

    def into(self, begin: int, raw: memoryview) -> int:
        self._file.seek(begin)
        done = 0
        while done < len(raw):
            got = self._file.readinto(raw[done:])
            if not got:
                break
            done += got
        return done

    def many(self, spans: Sequence[tuple[int, int]]) -> Iterable[bytes]:
        return (self.at(*span) for span in spans)


def _identity(stat: os.stat_result) -> Identity:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


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


def _refuse_links(root: Path) -> None:
    """Whoever made this run may have laid links that lead out of it; nothing is written through them."""
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                raise DamagedTrace(
                    f"{path} is a link; a trace that is to be written may hold none. Replace it by what it is."
                )
