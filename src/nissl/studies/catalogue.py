"""`catalogue`: everything that can be asked for by name."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType

from nissl import plugins
from nissl.errors import UnknownName, listing, near

GIVEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"data": (), "models": ("shape", "classes"), "quantities": (), "profiles": (), "canvases": ("paper",)}
)
"""Kinds whose fields are options, but for those that are decided by what they are used on."""
KINDS = (
    "data",
    "models",
    "quantities",
    "profiles",
    "views",
    "adapters",
    "stores",
    "finders",
    "interventions",
    "attribution",
    "layouts",
    "canvases",
)


@dataclass(frozen=True)
class Finding:
    """One line of a report."""

    group: str
    name: str
    good: bool
    said: str


def catalogue(kind: str | None = None) -> list[Finding]:
    """Names by kind; of one kind each with what it is."""
    if kind is None:
        return [Finding("", each, True, listing(plugins.names(each), 60)) for each in KINDS]
    if kind not in KINDS:
        raise UnknownName(f"There is no kind {kind!r}.{near(kind, KINDS)} There are: {listing(KINDS)}.")
    return [_described(kind, name) for name in plugins.names(kind)]


def _described(kind: str, name: str) -> Finding:
    try:
        found = plugins.load(kind, name)
    except ImportError as error:
        return Finding(kind, name, False, f"cannot be used here: {error}")
    said = (sys.modules[found.__module__].__doc__ or found.__doc__ or "").strip().partition("\n\n")[0]
    given = GIVEN.get(kind)
    options = (
        [f.name for f in fields(found) if f.name not in given] if given is not None and is_dataclass(found) else []
    )
    return Finding(kind, name, True, said + (f" Options: {listing(options)}." if options else ""))
