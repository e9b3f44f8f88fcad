"""What a user means by a name and options, or by one that was made already."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from nissl import plugins
from nissl.errors import BadValue, listing


def named(kind: str, contract: type, given: Any, options: Mapping[str, Any]) -> Any:
    """An implementation of `kind`, made with its options; one that is made already takes none."""
    if isinstance(given, contract):
        if options:
            raise BadValue(f"{given!r} is made already: it takes no {listing(options)}.")
        return given
    found = plugins.load(kind, given)
    try:
        return found(**options)
    except TypeError as error:
        known = [field.name for field in fields(found) if field.init] if is_dataclass(found) else []
        raise BadValue(f"{given!r} with {listing(options)}: {error}. Its options are: {listing(known)}.") from None
