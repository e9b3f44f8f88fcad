"""Which model is trained, and what the script calls it."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType, ModuleType
from typing import Any, Self

from torch import nn

from nissl.errors import UnknownName, listing, near


class Models(nn.ModuleDict):
    """Several models that are trained together, in one trace: each is the first part of its layers' names."""

    @classmethod
    def of(cls, found: Mapping[str, nn.Module]) -> Self:
        made = cls()
        for name, model in found.items():
            made.add_module(name, model)
        return made


def frames() -> Iterator[FrameType]:
    """The script's own frames, the innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect.currentframe may be None
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in ("torch", "nissl", "accelerate"):
            yield frame
        frame = frame.f_back


def named(stack: Iterable[FrameType]) -> dict[str, nn.Module]:
    """Every model that a variable holds, or an attribute of an object that one holds; the nearest has the name."""
    found: dict[str, nn.Module] = {}
    known: set[int] = set()

    def add(name: str, value: Any) -> None:
        if isinstance(value, nn.Module) and id(value) not in known and name not in found:
            known.add(id(value))
            found[name] = value

    for frame in stack:
        for space in (frame.f_locals, frame.f_globals):
            for name, value in list(space.items()):
                add(name, value)
                if not isinstance(value, nn.Module | ModuleType | type):
                    inside = getattr(value, "__dict__", None)
                    for inner, part in list(inside.items()) if type(inside) is dict else ():
                        add(f"{name}.{inner}", part)
    return found


def called(value: Any, stack: Iterable[FrameType]) -> str:
    """The variable that holds this value; empty if none does."""
    for frame in stack:
        for space in (frame.f_locals, frame.f_globals):
            for name, held in list(space.items()):
                if held is value and not name.startswith("_"):
                    return name
    return ""


def chosen(asked: str, known: Mapping[str, nn.Module], root: nn.Module) -> dict[str, nn.Module]:
    """The models that the user names: by variable, by class, or as module:attribute; several with commas."""
    found = {}
    for word in asked.split(","):
        module, _, attribute = word.rpartition(":")
        if module:
            space = vars(sys.modules.get("__main__" if module == "main" else module, ModuleType("none")))
            hits = {attribute: space[attribute]} if isinstance(space.get(attribute), nn.Module) else {}
        else:
            hits = {word: known[word]} if word in known else {}
        everything = {**known, type(root).__name__: root}
        hits = hits or {name: model for name, model in everything.items() if type(model).__name__ == word}
        if not hits:
            there = [f"{name} ({type(model).__name__})" for name, model in everything.items()]
            raise UnknownName(
                f"--model {word}: no variable and no class of a model is called so.{near(word, known)} There are: {listing(there)}."
            )
        name, model = next(iter(hits.items()))
        found[name] = model
    return found


def trained(optimizers: Iterable[Any], root: nn.Module, known: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """For every optimiser the model that has most of what it trains; more than one where its parameters lie in several."""
    names = {id(model): name for name, model in reversed(list(known.items()))}
    candidates = {id(model): model for model in (root, *known.values())}
    owned = {key: {id(p) for p in model.parameters()} for key, model in candidates.items()}
    picked: dict[int, nn.Module] = {}
    for optimizer in optimizers:
        left = parameters(optimizer).difference(*(owned[key] for key in picked))
        while left:
            key = max(candidates, key=lambda key: _rank(candidates[key], owned[key], left, root))
            if not left & owned[key]:
                break
            picked[key] = candidates[key]
            left -= owned[key]
    inner = {id(part) for model in picked.values() for part in model.modules() if part is not model}
    return {names.get(key, type(model).__name__): model for key, model in picked.items() if key not in inner} or {
        names.get(id(root), type(root).__name__): root
    }


def _rank(model: nn.Module, owned: set[int], wanted: set[int], root: nn.Module) -> tuple[Any, ...]:
    """Covers most; then the one that the script calls; then one that is compiled; then the smallest."""
    compiled = type(model).__name__ == "OptimizedModule"
    return len(owned & wanted), model is root, compiled, -len(owned), -sum(1 for _ in model.modules())


def parameters(optimizer: Any) -> set[int]:
    return {id(p) for group in optimizer.param_groups for p in group["params"]}
