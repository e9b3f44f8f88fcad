"""Which store a path belongs to: every store says so itself."""

from typing import Any

from nissl import plugins
from nissl.core.store import Store
from nissl.errors import BadValue, listing


def store_at(path: object, **options: Any) -> Store:
    """The store of the trace at this path, there or not; `options` are durability and patience."""
    names = plugins.names("stores")
    for name in names:
        made: Any = plugins.load("stores", name)
        if made.takes(path):
            store: Store = made(path, **options)
            return store
    raise BadValue(
        f"No trace can be at {path!r}: give a folder or an address such as s3://bucket/run. Stores: {listing(names)}."
    )
