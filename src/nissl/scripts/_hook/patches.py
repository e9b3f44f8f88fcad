"""Functions of others, replaced while a `with` is open."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


@contextmanager
def replaced(owner: Any, name: str, make: Any) -> Iterator[None]:
    """`owner.name` is what `make` makes of it, under its own name and documentation, until the `with` ends."""
    had, original = name in vars(owner), getattr(owner, name)
    setattr(owner, name, wraps(original)(make(original)))
    try:
        yield
    finally:
        if had:
            setattr(owner, name, original)
        else:  # it was inherited
            delattr(owner, name)
