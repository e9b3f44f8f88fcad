"""The errors that nissl raises. Each is also the Python error that it is, so that ordinary `except` clauses work."""

import difflib
from collections.abc import Iterable


class NisslError(Exception):
    """Anything that nissl refuses or cannot do."""


class NisslWarning(UserWarning):
    """Something was lost or left out, and the user's run goes on."""


class UnknownName(NisslError, LookupError):
    """A name that doesn't exist; the message lists what does."""


class UnknownKey(NisslError, KeyError):
    """An address that a trace doesn't have; the message shows near misses."""

    def __str__(self) -> str:  # KeyError would show the message quoted and escaped
        return str(self.args[0]) if self.args else ""


class BadValue(NisslError, ValueError):
    """An argument that cannot be meant."""


class NotHeard(NisslError, RuntimeError):
    """A layer, or a whole network, that should have been heard and was not."""


class Unsupported(NisslError, TypeError):
    """Something that this network, framework or file cannot do."""


class TraceExists(NisslError, FileExistsError):
    """There is a trace here already."""


class TraceBusy(NisslError, BlockingIOError):
    """Another process writes this trace."""


class NoTrace(NisslError, FileNotFoundError):
    """There is no trace here."""


class DamagedTrace(NisslError, ValueError):
    """Part of a trace cannot be read; the message names the part."""


class NewerFormat(NisslError, ValueError):
    """A trace written by a newer nissl."""


class OverBudget(NisslError, ValueError):
    """Recording would take more than the user allowed."""


class MissingData(NisslError, FileNotFoundError):
    """Data that was expected and isn't there."""


class DamagedData(NisslError, ValueError):
    """Data that is there and isn't what it should be."""


class MissingDependency(NisslError, ImportError):
    """An optional library that this needs."""


def listing(names: Iterable[object], limit: int = 20) -> str:
    """Names for a message: the first few, and how many more; names that hold commas are told apart by semicolons."""
    known = [str(name) for name in names]
    between = "; " if any(", " in name for name in known[:limit]) else ", "
    more = f" ... ({len(known) - limit} more)" if len(known) > limit else ""
    return between.join(known[:limit]) + more if known else "none"


def plural(count: int, thing: str) -> str:
    """'1 layer', '1,200 layers'."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def near(name: object, known: Iterable[object]) -> str:
    """A sentence that offers the closest of the names that exist, or nothing."""
    close = difflib.get_close_matches(str(name), [str(k) for k in known], 3, 0.6)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
