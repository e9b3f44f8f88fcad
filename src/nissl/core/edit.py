"""A change to units as one object with three executions: `with`, attach and detach, or commit into a new model."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nissl.core.capabilities import Rewritable, Rewritten
from nissl.core.intervention import Intervention, Units
from nissl.core.network import Network
from nissl.errors import BadValue, Unsupported, listing

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Change:
    """One thing done to some units of one layer."""

    units: Units
    how: Intervention

    def __repr__(self) -> str:
        which = self.units.which
        named = f"n_{which[0]}" if len(which) == 1 else f"{len(which)} of {self.units.layer.units}"
        return f"{self.how!r} on {self.units.layer.name}[{named}]"


@dataclass(frozen=True)
class Committed:
    """What a commit did, beside the model."""

    difference: float
    """The largest difference between the new model's outputs and those of the old one under the hooks."""
    examples: int
    """On how many examples it was measured."""
    parameters: tuple[int, int]
    removed: Mapping[str, tuple[int, ...]]
    held: Mapping[str, str]

    def __str__(self) -> str:
        before, after = self.parameters
        gone = sum(len(units) for units in self.removed.values())
        told = (
            f"max |difference| to the hooked model {self.difference:.1e} on {self.examples} examples; "
            f"parameters {before:,} -> {after:,} (x{after / max(before, 1):.3f}); units removed: {gone}"
        )
        return "\n".join([told, *(f"  {layer}: held as constants: {why}" for layer, why in self.held.items())])


class Edit:
    """Changes that compose with `+`; no unit is changed twice, so that their order says nothing."""

    def __init__(self, network: Network, changes: Sequence[Change], sample: Any = None):
        """`sample`: inputs on which a commit is checked."""
        self.network, self.changes, self.sample = network, tuple(changes), sample
        self._stack: ExitStack | None = None
        self._check()

    def _check(self) -> None:
        taken: dict[tuple[str, int], Change] = {}
        for change in self.changes:
            for unit in change.units.which if change.how.changes else ():
                key = (change.units.layer.name, unit)
                if key in taken:
                    raise BadValue(
                        f"n_{unit} of {key[0]} is changed twice: by {taken[key].how!r} and by {change.how!r}. Edits have no "
                        "order; give each unit one change."
                    )
                taken[key] = change

    def __add__(self, other: "Edit") -> "Edit":
        if not isinstance(other, Edit):
            return NotImplemented
        if other.network is not self.network and other.network.model is not self.network.model:
            raise BadValue("These edits are of different models.")
        sample = self.sample if self.sample is not None else other.sample
        return Edit(self.network, (*self.changes, *other.changes), sample)

    def attach(self) -> Self:
        """From here on, until `detach`."""
        if self._stack is not None:
            raise BadValue("This edit is in place already: detach() it first.")
        # what reads the network does so before anything is in place
        opened = [change.how.open(change.units) for change in self.changes]
        with ExitStack() as stack:
            for one in opened:
                stack.enter_context(one)
            self._stack = stack.pop_all()
        return self

    def detach(self) -> None:
        """Everything as it was."""
        stack, self._stack = self._stack, None
        if stack is None:
            raise BadValue("This edit is not in place: there is nothing to detach.")
        stack.close()

    def __enter__(self) -> Self:
        return self.attach()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.detach()

    def commit(self, x: Any = None, *, shrink: bool = False) -> tuple[Any, Committed]:
        """A new model with this edit made part of its weights, and how exactly; the old one stays as it is.

        `shrink`: units held at constants are taken out, and what they gave is folded into what follows. `x`: inputs to
        check it on, as the network takes them; a structure has some of its own.
        """
        x = self.sample if x is None else x
        if x is None:
            raise BadValue("A commit is checked on inputs: commit(x=inputs).")
        if self._stack is not None:
            raise BadValue("This edit is in place: detach() it before committing it.")
        if not isinstance(self.network, Rewritable):
            raise Unsupported(
                f"Changes to a {self.network.framework} network can't be made part of its weights; use them in a `with`."
            )
        fixed, turned = self._lasting()
        made: Rewritten = self.network.rewritten(fixed, turned, shrink=shrink, x=x)
        with self:
            wanted = self.network.forward(x)
        given = type(self.network)(made.model).forward(x)
        difference = float(np.abs(wanted - given).max(initial=0.0))
        return made.model, Committed(difference, len(wanted), made.parameters, made.removed, made.held)

    def _lasting(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """By layer what is held constant, and what is turned."""
        fixed: dict[str, list[tuple[Any, ...]]] = {}
        turned: dict[str, list[tuple[Any, ...]]] = {}
        for change in self.changes:
            name, constants = change.units.layer.name, change.how.fixed(change.units)
            affine = None if constants is not None else change.how.turned(change.units)
            if constants is not None:
                fixed.setdefault(name, []).append((change.units.which, constants))
            elif affine is not None:
                turned.setdefault(name, []).append((change.units.which, *affine))
            else:
                raise Unsupported(
                    f"{change.how!r} depends on the inputs or the training, so that it can't be made part of the weights. "
                    "Use it in a `with`, or by attach()."
                )
        return {n: _together(parts) for n, parts in fixed.items()}, {n: _together(parts) for n, parts in turned.items()}

    def __repr__(self) -> str:
        return f"<Edit: {listing(self.changes, 6)}>"


def _together(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    units = tuple(unit for part in parts for unit in part[0])
    return (units, *(np.concatenate(column) for column in list(zip(*parts, strict=True))[1:]))
