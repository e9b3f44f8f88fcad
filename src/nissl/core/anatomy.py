"""The shapes inside a network, as two examples show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.network import Network, batches
from nissl.errors import BadValue, Unsupported, listing

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What a small pass shows before the large ones: every layer's value and the outputs."""

    network: Network
    x: Any
    outputs: Array
    values: Mapping[str, Array]

    @classmethod
    def of(cls, network: Network, x: Any) -> "Anatomy":
        """By the first two examples."""
        few = next(batches(x, 2), None)
        if few is None:
            raise BadValue("x holds no example.")
        told: list[Array] = []
        with network.watch_outputs(lambda _, value: told.append(np.array(network.to_numpy(value)))):
            values = _heard(network, few)
        return cls(network, few, told[-1] if told else network.forward(few), values)

    @cached_property
    def learned(self) -> bool:
        """The network has been shown where its layers are differentiated, which else would take a pass over a whole chunk."""
        self.network.look(self.x)
        return True

    @cached_property
    def input(self) -> Array | None:
        """The examples as one array of numbers that have gradients; None where they are something else."""
        if isinstance(self.x, Mapping | tuple):
            return None
        found = self.network.to_numpy(self.x)
        return found if found.dtype.kind == "f" else None

    @cached_property
    def axis(self) -> int | None:
        """Which axis of the input counts channels: the one that the layers of its rank have theirs along."""
        shape = () if self.input is None else self.input.shape
        alike = [one for one in self.network.layers if np.ndim(self.values.get(one.name, 0)) == len(shape)]
        if len(shape) > 2 and alike:
            return alike[0].unit_axis % len(shape)
        few = [axis for axis in (1, len(shape) - 1) if len(shape) > 3 and shape[axis] in (1, 3, 4)]
        return few[0] if few else None

    def positions(self, layer: Layer) -> tuple[int, ...]:
        """The axes of a layer's value that count neither examples nor units."""
        value = self.values.get(layer.name)
        rank = 0 if value is None else value.ndim
        taken = {layer.batch_axis % rank, layer.unit_axis % rank} if rank else set()
        return tuple(axis for axis in range(rank) if axis not in taken)

    def mapped(self, name: str | None, before: Layer | None = None) -> Layer:
        """The layer whose maps are meant: this one, or the last that has positions, before another if one is given."""
        able = [one for one in self.network.layers if one.unit != "head" and self._spread(one)]
        if name is not None:
            layer = self.network.layer(name)
            if layer not in able:
                raise BadValue(
                    f"{name} has no positions, so no maps. These layers have: {listing(a.name for a in able)}."
                )
            return layer
        if not able:
            raise Unsupported(
                "No layer of this network has positions, so that there are no maps: use a method of gradients."
            )
        names = [one.name for one in self.network.layers]
        early = [one for one in able if before is None or names.index(one.name) < names.index(before.name)]
        return early[-1] if early else able[0]

    def _spread(self, layer: Layer) -> bool:
        value = self.values.get(layer.name)
        return value is not None and int(np.prod([value.shape[axis] for axis in self.positions(layer)])) > 1


def _heard(network: Network, x: Any) -> dict[str, Array]:
    """The layers that run on these inputs; those that stay silent don't matter here."""
    seen: dict[str, Array] = {}

    def hear(name: str, value: Any) -> None:
        seen.setdefault(name, np.array(network.to_numpy(value)))

    with network.evaluating(), network.watch(hear, "*"):
        network.run(x)
        network.settle()
    return seen
