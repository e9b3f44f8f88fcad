"""Weights that stay at zero, or equal to one another, whatever an optimiser does."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from nissl.adapters._torch.processes import is_sharded
from nissl.adapters._torch.values import to_numpy
from nissl.errors import BadValue, UnknownName, Unsupported, listing, near


def tensors(root: nn.Module) -> dict[str, Tensor]:
    """All parameters and kept buffers by name, each once however many names it has."""
    found: dict[int, tuple[str, Tensor]] = {}
    for module in root.modules():
        if parametrize.is_parametrized(module):
            raise Unsupported(
                f"{type(module).__name__} computes its weights before each pass (a parametrization): write what it computes into "
                "them first, by torch.nn.utils.parametrize.remove_parametrizations."
            )
    for name, value in root.state_dict(keep_vars=True).items():
        if isinstance(value, Tensor):  # a module may keep other things
            found.setdefault(id(value), (name, value))
    if any(is_sharded(tensor) for _, tensor in found.values()):
        raise Unsupported("The model is divided over several processes (fully_shard): take it before it is sharded.")
    return dict(found.values())


def state(root: nn.Module, *, trained: bool) -> dict[str, Any]:
    """As numpy."""
    with torch.no_grad():
        return {
            name: to_numpy(tensor).copy()
            for name, tensor in tensors(root).items()
            if isinstance(tensor, nn.Parameter) or not trained
        }


def restore(root: nn.Module, given: Mapping[str, Any]) -> None:
    """Write them; nothing is written unless all of it fits."""
    known = tensors(root)
    for name, array in given.items():
        _named(name, known)
        if tuple(np.shape(array)) != tuple(known[name].shape):
            raise BadValue(f"{name} has the shape {tuple(known[name].shape)}; {np.shape(array)} was given.")
    with torch.no_grad():
        for name, array in given.items():
            known[name].copy_(torch.as_tensor(array))


@contextmanager
def tied(root: nn.Module, ties: Mapping[str, Any]) -> Iterator[None]:
    """Before each step gradients are joined, after it weights."""
    known = {name: tensor for name, tensor in tensors(root).items() if isinstance(tensor, nn.Parameter)}
    made = [_tie(_named(name, known), np.asarray(given), name) for name, given in ties.items()]
    for tie in made:
        tie.settle()

    def mine(optimiser: torch.optim.Optimizer) -> list[_Tie]:
        moved = {id(parameter) for group in optimiser.param_groups for parameter in group["params"]}
        return [tie for tie in made if id(tie.weight) in moved]

    def before(optimiser: torch.optim.Optimizer, *_: Any) -> None:
        for tie in mine(optimiser):
            tie.join()

    def after(optimiser: torch.optim.Optimizer, *_: Any) -> None:
        for tie in mine(optimiser):
            tie.settle()

    with ExitStack() as stack:
        for handle in (register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)):
            stack.callback(handle.remove)
        yield


def _named(name: str, known: Mapping[str, Tensor]) -> Tensor:
    if name not in known:
        raise UnknownName(f"There is no parameter {name!r}.{near(name, known)} There are: {listing(known)}.")
    return known[name]


class _Tie:
    """Some entries of one parameter stay at zero."""

    def __init__(self, weight: Tensor, kept: Tensor):
        self.weight, self._zero = weight, ~kept

    def join(self) -> None:
        """What stays has no gradient, so that nothing is remembered of it."""
        if self.weight.grad is not None and not self.weight.grad.is_sparse:
            self.weight.grad.masked_fill_(self._zero, 0)

    def settle(self) -> None:
        with torch.no_grad():
            self.weight.masked_fill_(self._zero, 0)


class _Groups(_Tie):
    """Entries of one number are one weight, and take the mean of the steps that each would take alone.

    Deep Compression sums gradients; of thousands, with the rate that was right for single weights, these steps diverge. They begin equal and get equal gradients, so that any optimiser that treats each entry alike moves them alike, and its
    memory of them stays alike too. Rounding that differs along a vector is taken out by copying the first of each group.
    """

    def __init__(self, weight: Tensor, numbers: Tensor):
        super().__init__(weight, numbers > 0)
        _, flat = torch.unique(numbers, return_inverse=True)
        self._number = flat.reshape(-1)
        self._many = int(self._number.max()) + 1 if len(self._number) else 0
        places = torch.arange(len(self._number), device=weight.device)
        self._sizes = torch.bincount(self._number, minlength=self._many)
        self._first = places.new_full((self._many,), len(places)).scatter_reduce(0, self._number, places, "amin")

    def join(self) -> None:
        gradient = self.weight.grad
        if gradient is None:
            return
        if gradient.is_sparse:
            raise Unsupported("Weights that share values need whole gradients: make the embedding with sparse=False.")
        means = gradient.new_zeros(self._many).index_add_(0, self._number, gradient.reshape(-1)) / self._sizes
        gradient.copy_(means[self._number].reshape(gradient.shape))
        super().join()

    def settle(self) -> None:
        with torch.no_grad():
            flat = self.weight.reshape(-1)
            self.weight.copy_(flat[self._first][self._number].reshape(self.weight.shape))
        super().settle()


def _tie(weight: Tensor, given: Any, name: str) -> _Tie:
    if given.shape != tuple(weight.shape) or given.dtype.kind not in "biu":
        raise BadValue(
            f"{name} has the shape {tuple(weight.shape)} and takes bools or whole numbers; {given.dtype} of shape {given.shape} "
            "were given."
        )
    numbers = torch.as_tensor(given, device=weight.device)
    return _Tie(weight, numbers) if given.dtype.kind == "b" else _Groups(weight, numbers.long())
