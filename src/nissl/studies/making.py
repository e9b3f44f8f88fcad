"""Data sets and networks by name, with options as a command line or a header says them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from nissl import plugins
from nissl.errors import BadValue, UnknownName, listing, near


def made(kind: str, name: str, given: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """What this name stands for, made with the options; `given` are those that are not to be chosen."""
    found = plugins.load(kind, name)
    known = {field.name: field.default for field in fields(found) if field.name not in given}
    for option in options:
        if option not in known:
            raise UnknownName(f"{name} has no option {option!r}.{near(option, known)} It has: {listing(known)}.")
    fitting = {option: _fitting(f"{name}.{option}", value, known[option]) for option, value in options.items()}
    try:
        return found(**given, **fitting)
    except TypeError as error:
        raise BadValue(f"{name}: {str(error).partition('() ')[2]}. Its options are: {listing(known)}.") from error


def _fitting(name: str, value: Any, default: Any) -> Any:
    """An option of its default's kind: 64 is (64,) where several numbers may stand."""
    if default == () and isinstance(value, str):  # names, as a terminal says them
        return tuple(word.strip() for word in value.split(",") if word.strip())
    several = isinstance(default, tuple) and bool(default)
    values, like = (
        (value if isinstance(value, list | tuple) else [value], default[0]) if several else ([value], default)
    )
    if type(like) is int and not all(type(each) is int and each >= 0 for each in values):
        raise BadValue(f"{name}={value!r}: {'whole numbers' if several else 'a whole number'}, such as {default!r}.")
    return tuple(values) if several else value
