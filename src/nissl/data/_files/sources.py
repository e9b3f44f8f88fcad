"""Finding files, making sure that they are the right ones, and fetching them when the user asks."""

import hashlib
import os
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nissl.errors import DamagedData, MissingData, listing


def home(name: str, folder: str | None) -> Path:
    """The folder that the user named, or this data set's place in $NISSL_DATA or the user's cache."""
    if folder is not None:
        return Path(folder).expanduser()
    return Path(os.environ.get("NISSL_DATA") or Path.home() / ".cache" / "nissl") / name


def verify(content: bytes, expected: str, where: str) -> bytes:
    """The content itself, if it has the expected digest (`algorithm:hex`)."""
    algorithm, _, wanted = expected.partition(":")
    found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if found != wanted:
        raise DamagedData(
            f"{where} is not the file that it should be: {algorithm} {wanted} expected, {found} found"
            f" ({len(content):,} bytes). Delete it and get it again, or say download=True."
        )
    return content


@dataclass(frozen=True)
class Source:
    """One file: where it may lie, how to tell that it is right, and where it is to be had."""

    places: Sequence[Path]
    """The first that exists is taken; the very first is where a download goes."""
    check: Callable[[bytes, str], bytes]
    """Takes the content and its place, gives the data; raises DamagedData where it is not right."""
    address: str

    def read(self, download: bool) -> bytes:
        for place in self.places:
            if place.is_file():
                try:
                    return self.check(place.read_bytes(), str(place))
                except DamagedData:
                    if not download:
                        raise
        if not download:
            raise MissingData(
                f"There is no {self.places[0].name}. Looked for: {listing(self.places)}."
                f" Put it there (from {self.address}), name another folder, or say download=True to get it."
            )
        return self._fetch()

    def _fetch(self) -> bytes:
        """Write under a temporary name and rename, so that the target is either whole and right or not there."""
        target = self.places[0]
        try:
            with urllib.request.urlopen(self.address) as answer:  # noqa: S310 - a mirror may be a file: too
                content = answer.read()
        except OSError as problem:
            raise MissingData(f"Could not get {self.address}: {problem}. Put it at {target} by hand.") from problem
        data = self.check(content, self.address)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            part.write_bytes(content)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return data
