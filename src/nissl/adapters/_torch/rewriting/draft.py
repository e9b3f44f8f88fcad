"""A copy of a model on which to write, and which modules of it can't be written on."""

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from nissl.errors import Unsupported

Open = Callable[[nn.Module], Any]
"""Opens a model as a network."""


def copied(model: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(model)
    except (RuntimeError, TypeError) as error:
        raise Unsupported(
            f"This model can't be copied, and rewriting never touches the model itself: {error}"
        ) from error


class Draft:
    """A copy of an original, module by module."""

    def __init__(self, original: nn.Module, opened: Open):
        self.root = copied(original)
        self.network = opened(self.root)
        self._opened = opened
        self._of = dict(zip(original.modules(), self.root.modules(), strict=True))
        self.bound = bound(self.root)
        self.paths = {module: path for path, module in self.root.named_modules()}

    def of(self, module: nn.Module) -> nn.Module:
        """The copy of one of the original's modules."""
        return self._of[module]

    def called(self, module: nn.Module) -> str:
        """What to call a module in a message."""
        return f"{self.paths[module] or 'the model'} ({type(module).__name__})"

    def again(self) -> "Draft":
        """A draft that begins as this one is now."""
        return Draft(self.root, self._opened)


def bound(root: nn.Module) -> dict[nn.Module, str]:
    """Modules whose weights are not theirs alone, and why."""
    owners: dict[int, list[nn.Module]] = {}
    for module in root.modules():
        for parameter in module._parameters.values():
            if parameter is not None:
                owners.setdefault(id(parameter), []).append(module)
    found = {
        module: "its weights are shared with another" for many in owners.values() if len(many) > 1 for module in many
    }
    for module in root.modules():
        computed = [name for name in ("weight", "bias") if isinstance(getattr(module, name, None), Tensor)]
        if any(name not in module._parameters for name in computed):
            found[module] = "its weights are computed from others (parametrized)"
    return found
