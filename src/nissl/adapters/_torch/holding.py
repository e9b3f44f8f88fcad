"""Units that do not learn: what leads into them is after every optimiser step, bit by bit, what it was before."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from nissl.adapters._host import choice
from nissl.adapters._torch import parameters
from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.processes import is_sharded
from nissl.errors import Unsupported

Rows = list[tuple[Tensor, Tensor]]
"""Parameters, and which of their entries are held."""


class Held:
    """The hooks around every optimiser's step; whatever it does (momentum, weight decay), held entries are put back."""

    def __init__(self, units: Mapping[Place, Sequence[int]], norms: Iterable[nn.Module]):
        """`norms`: those that may turn out to follow a layer."""
        self._rows = [(place, _checked(place, chosen)) for place, chosen in units.items()]
        self._held: Rows | None = None
        self._following: tuple[nn.Module | None, ...] = ()
        self._loose = [p for norm in norms for p in norm.parameters(recurse=False)]
        self._saved: WeakKeyDictionary[Any, list[tuple[Tensor, Tensor, Tensor]]] = WeakKeyDictionary()
        self._early: WeakKeyDictionary[Any, dict[int, Tensor]] = WeakKeyDictionary()

    def _entries(self) -> Rows:
        """Norms that follow a layer are only known once a pass has shown them."""
        norms = tuple(place.norm for place, _ in self._rows)
        if self._held is None or norms != self._following:
            self._following, self._held = norms, []
            for place, units in self._rows:
                self._held += entries(place.module, place.name, units)
                if place.norm is not None:
                    self._held += entries(place.norm, place.name, units)
        return self._held

    @torch.no_grad()
    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        given = {id(p) for group in optimizer.param_groups for p in group["params"]}
        saved = self._saved[optimizer] = []
        for parameter, held in self._entries():
            if id(parameter) in given:
                saved.append((parameter, held, parameter[held]))
                if parameter.grad is not None and not parameter.grad.is_sparse:
                    parameter.grad[held] = 0  # so that no momentum waits for the end
        if not all(place.known for place, _ in self._rows):  # the first pass may be inside the step, in a closure
            self._early[optimizer] = {id(p): p.detach().clone() for p in self._loose if id(p) in given}

    @torch.no_grad()
    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        for parameter, held, values in self._saved.pop(optimizer, ()):
            parameter[held] = values
        early = self._early.pop(optimizer, {})
        for parameter, held in self._entries() if early else ():
            if id(parameter) in early:
                parameter[held] = early[id(parameter)][held]


def _checked(place: Place, units: Sequence[int]) -> list[int]:
    if place.enters:
        raise Unsupported(
            f"{place.name} is heads, which have no parameters of their own: hold units of the projections around them."
        )
    chosen = choice.whole(place.layer, units)
    have = next((shape[0] for shape in parameters.shapes(place.module).values() if shape), place.layer.units or 0)
    choice.fit(place.layer, chosen, (), have)
    entries(place.module, place.name, chosen.tolist())  # refuses at once what can't be held
    return [int(unit) for unit in chosen]


def entries(module: nn.Module, layer: str, units: Sequence[int]) -> Rows:
    """The entries of the module's parameters that lead into these units, in the parameters' own layout."""
    found: Rows = []
    for form in parameters.forms(module).values():
        first = 0
        for attribute in form.attributes:
            owner, name = parameters.owner_of(module, attribute)
            tensor = owner._parameters.get(name)
            if tensor is None or is_sharded(tensor):
                made = (
                    "computed before each pass (parametrized, pruned)" if tensor is None else "divided over processes"
                )
                raise Unsupported(f"{layer}'s {name} is {made}, so that single units of it can't be held.")
            turned = form.unit_first(tensor.detach())
            mine = torch.zeros(turned.shape, dtype=torch.bool, device=tensor.device)
            here = [unit - first for unit in units if first <= unit < first + len(turned)]
            mine[torch.tensor(here, dtype=torch.int64, device=tensor.device)] = True
            found.append((tensor, form.back(mine)))
            first += len(turned)
    return found
