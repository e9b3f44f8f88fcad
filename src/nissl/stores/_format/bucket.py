"""The files of a run in an object store, through obstore: a PUT is atomic, and a conditional one decides between writers."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from nissl.errors import BadValue, DamagedTrace, MissingDependency, TraceBusy
from nissl.stores._format.lease import Lease, Version
from nissl.stores._format.place import LARGEST_JSON, Identity, Place, too_large

RETRIES: Any = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=20),
}  # then it is the caller's turn to try again later
PATIENCE = timedelta(seconds=120)  # for one request, which may be a whole epoch on a slow line
LARGEST_PUT = 5 << 30  # what is more goes in parts, for which there are no conditions
LOCAL = ("127.0.0.1", "localhost", "::1")
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class Bucket(Place):
    """The keys below one prefix. Who replaces index.json must have seen the one before, so that only one writer goes on."""

    fenced, threads, threads_heavy = True, 16, 16

    def __init__(self, address: str, lease: float):
        super().__init__(address.rstrip("/"))
        self._objects, self._lease = _connected(str(self.root)), lease
        self._index: Version | None = None  # of the index that we know
        self._tried = b""  # the digest of what was last meant to be the index

    def where(self, name: str) -> str:
        return f"{self.root}/{name}"

    def begin(self) -> None:
        """A prefix needs no making."""

    def prepare(self) -> None:
        """A half-written object does not exist."""

    def lock(self) -> Lease:
        held = Lease(self._put, self._get, str(self.root), self._lease)
        try:
            self._index = self.identity(self.index)[0] if self.exists(self.index) else None
        except BaseException:
            held.release()
            raise
        return held

    def identity(self, name: str) -> Identity:
        import obstore

        with plainly(self.where(name)):
            return _identity(obstore.head(self._objects, name))

    def listed(self, folder: str) -> Iterator[tuple[str, Identity]]:
        import obstore

        with plainly(self.where(folder)):
            for batch in obstore.list(self._objects, folder or None):
                for meta in batch:
                    yield meta["path"].removeprefix(f"{folder}/"), _identity(meta)

    def sizes(self) -> dict[str, int]:
        return {name: found[1] for name, found in self.listed("")}

    def read(self, name: str) -> bytes:
        return self._get(name)[0]

    def open(self, name: str, expected: Identity | None = None) -> "Parts":
        return Parts(self._objects, name, self.where(name), expected)

    def write(self, name: str, pieces: Iterable[Any], *, new: bool = False) -> int:
        data = b"".join(pieces)
        if name == self.index:
            self._replace(data)
        elif not new or len(data) > LARGEST_PUT:
            self._put(name, data, None)
        else:
            try:
                self._put(name, data, "create")
            except FileExistsError:
                if self.read(name) != data:  # else an earlier answer was lost on its way to us
                    raise
        return len(data)

    def remove(self, *names: str) -> None:
        import obstore

        if names:
            with plainly(self.where(names[0])):
                obstore.delete(self._objects, list(names))

    def remove_folder(self, folder: str = "") -> None:
        prefix = f"{folder}/" if folder else ""
        self.remove(*[prefix + name for name, _ in self.listed(folder)])

    def keep(self, name: str, kept: str) -> None:
        import obstore

        with suppress(OSError), plainly(self.where(name)):
            obstore.copy(self._objects, name, f"{self.damaged}/{kept}")

    def _get(self, name: str) -> tuple[bytes, Identity]:
        """All of an object, and which one it is."""
        import obstore

        with plainly(self.where(name)):
            found = obstore.get(self._objects, name)
            meta = found.meta  # obstore 0.6 has it no more once the bytes were handed over
            if meta["size"] > LARGEST_JSON:
                raise too_large(self.where(name), meta["size"])
            return bytes(found.bytes()), _identity(meta)

    def _put(self, name: str, data: bytes, after: Version | Literal["create"] | None) -> Version:
        """Write an object: after none ("create"), after this version of it, or whatever was there (None). Its version.

        FileExistsError where another was there.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = after or "overwrite"
        if isinstance(after, tuple):
            mode = {name: value for name, value in zip(("e_tag", "version"), after, strict=True) if value is not None}
        with plainly(self.where(name)):
            try:
                return _version(obstore.put(self._objects, name, data, mode=mode))
            except (AlreadyExistsError, PreconditionError):
                raise FileExistsError(f"{self.where(name)}: another process has written it.") from None

    def _replace(self, data: bytes) -> None:
        """A new index after the one that we know; TraceBusy if it isn't that any more."""
        digest = hashlib.sha256(data).digest()
        for _ in range(2):
            known, self._tried = {digest, self._tried}, digest
            try:
                self._index = self._put(self.index, data, self._index or "create")
            except FileExistsError:
                found, who = self._get(self.index)
                if hashlib.sha256(found).digest() not in known:
                    raise TraceBusy(
                        f"{self.root}: another process has gone on with this trace; this one writes no more of it."
                    ) from None
                self._index = who[0]  # ours: its answer was lost on the way
            else:
                return


class Parts:
    """An object that is read by ranges, each a request; from the second on it must still be the same object."""

    def __init__(self, objects: Any, name: str, where: str, expected: Identity | None):
        self._objects, self._name, self._where, self._identity = objects, name, where, expected

    @property
    def identity(self) -> Identity:
        if self._identity is None:
            import obstore

            with plainly(self._where):
                self._identity = _identity(obstore.head(self._objects, self._name))
        return self._identity

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is held between two requests."""

    def at(self, begin: int, size: int) -> bytes:
        return self._get((begin, begin + size)) if size else b""

    def end(self, size: int) -> bytes:
        return self._get({"suffix": size})

    def into(self, begin: int, raw: memoryview) -> int:
        data = self.at(begin, len(raw))
        raw[: len(data)] = data
        return len(data)

    def many(self, spans: Sequence[tuple[int, int]]) -> Iterable[bytes]:
        """In few requests: what lies close together is fetched together."""
        import obstore

        with plainly(self._where):
            starts, lengths = zip(*spans, strict=True)
            return [bytes(one) for one in obstore.get_ranges(self._objects, self._name, starts=starts, lengths=lengths)]

    def _get(self, span: Any) -> bytes:
        import obstore
        from obstore.exceptions import PreconditionError

        options: Any = {"range": span} | ({"if_match": self._identity[0][0]} if self._identity else {})
        with plainly(self._where):
            try:
                found = obstore.get(self._objects, self._name, options=options)
            except PreconditionError:
                raise FileNotFoundError(f"{self._where} is another object now.") from None
            self._identity = _identity(found.meta)
            return bytes(found.bytes())


@contextmanager
def plainly(where: str) -> Iterator[None]:
    """What obstore raises, as the error that Python has for it, and in a line."""
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except FileNotFoundError as error:
        bucket = " (there is no such bucket)" if "NoSuchBucket" in str(error) else ""
        raise FileNotFoundError(f"{where} is not there{bucket}.") from None
    except BaseError as error:
        why = str(error).partition("\n\nDebug source")[0]
        if "InvalidRange" in why:
            raise DamagedTrace(f"{where}: cut short.") from None
        refused = isinstance(error, PermissionDeniedError | UnauthenticatedError)
        raise (PermissionError if refused else OSError)(f"{where}: {why}") from None


def _identity(meta: Any) -> Identity:
    return _version(meta), int(meta["size"]), int(meta["last_modified"].timestamp() * 1e9)


def _version(said: Any) -> Version:
    """What S3 and Azure tell objects apart by, and what Google does."""
    return said["e_tag"], said["version"]


def _connected(address: str) -> Any:
    """The store behind an address; credentials and endpoint are those of the environment."""
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise MissingDependency(
            f"{address}: to reach an object store takes obstore: pip install 'nissl[s3]'."
        ) from None
    if urlsplit(address).scheme in {"file", "memory", "http", "https"}:
        raise BadValue(
            f"{address}: a trace lives in a folder (give its path) or in an object store (s3://, gs://, az://)."
        )
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    options: Any = {"timeout": PATIENCE} | ({"allow_http": True} if urlsplit(endpoint).hostname in LOCAL else {})
    try:
        return from_url(address, client_options=options, retry_config=RETRIES)
    except (BaseError, ValueError) as error:
        why = str(error).partition("\n\n")[0]
        raise BadValue(f"{address}: no address of an object store, such as s3://bucket/run: {why}") from None
