"""Tells when a library has been imported; costs nothing where it never is."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Imports(MetaPathFinder):
    """Stands first among the finders and lets the others find; told modules call back once their code has run."""

    def __init__(self, awaited: dict[str, Callable[[], None]]):
        self._awaited = awaited

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._awaited:
            return None
        then = self._awaited.pop(fullname)  # so that the search below does not come back here
        found = importlib.util.find_spec(fullname)
        loader: Any = found.loader if found is not None else None
        if loader is None or not hasattr(loader, "exec_module"):
            return found
        run = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module  # nothing of this stays with the module
            run(module)
            then()

        loader.exec_module = exec_module
        return found


@contextmanager
def awaited(names: Mapping[str, Callable[[], None]]) -> Iterator[None]:
    """Call each function once the module of its name has been imported."""
    finder = Imports(dict(names))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
