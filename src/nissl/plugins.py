"""Find implementations by name: one file an implementation, no list to keep."""

import importlib
import pkgutil
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from nissl.errors import UnknownName, listing, near


def names(kind: str) -> list[str]:
    """Every implementation of a kind, ours and installed ones; imports none of them."""
    return sorted(_ours(kind) | _others(kind).keys())


def load(kind: str, name: str) -> type:
    """The one public class that implements `name`; SimpleNet, simplenet and simple-net are simple_net."""
    seen = sys.modules.get(f"nissl.{kind}.{name}")
    if seen is not None and hasattr(seen, class_name(name)):  # looking into the folder takes as long as a small pass
        return getattr(seen, class_name(name))
    name = _known(kind, name)
    if name in _ours(kind):
        module = importlib.import_module(f"nissl.{kind}.{name}")
        found: type = getattr(module, class_name(name))
        return found
    others = _others(kind)
    if name in others:
        loaded: type = others[name].load()
        return loaded
    known = names(kind)
    raise UnknownName(f"{kind}: there is no {name!r}.{near(name, known)} There are: {listing(known)}.")


def known(kind: str, name: str) -> bool:
    """Is there such an implementation, however its name is written?"""
    return _known(kind, name) in names(kind)


def class_name(name: str) -> str:
    """What the class in `some_file.py` is called: SomeFile."""
    return "".join(word.capitalize() for word in name.split("_"))


def _known(kind: str, name: str) -> str:
    if name in _ours(kind):  # without asking the installed packages, which takes time
        return name
    alike = [known for known in names(kind) if _plain(known) == _plain(name)]
    return alike[0] if len(alike) == 1 else name


def _plain(name: str) -> str:
    return str(name).lower().replace("_", "").replace("-", "")


def _ours(kind: str) -> set[str]:
    folder = importlib.import_module(f"nissl.{kind}").__path__
    return {found.name for found in pkgutil.iter_modules(folder) if not found.name.startswith("_")}


@lru_cache(64)  # which packages are installed takes long to ask
def _others(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"nissl.{kind}")}
