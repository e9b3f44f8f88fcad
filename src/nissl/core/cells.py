"""The steps of an address: an epoch is a mapping of layers, a layer of neurons, a neuron of statistics. All are lazy."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import address
from nissl.core.store import ArraySpec
from nissl.errors import UnknownKey, listing, near

if TYPE_CHECKING:
    from nissl.core.trace import Trace


class Epoch(Mapping[str, "LayerCell"]):
    """`trace["E_30"]`: what was recorded at one epoch."""

    def __init__(self, trace: "Trace", number: int):
        self.trace, self.number = trace, number

    @property
    def scalars(self) -> Mapping[str, float]:
        """Loss, accuracy and what else is one number for the whole network."""
        return self.trace.entry(self.number).scalars

    def array(self, name: str) -> NDArray[Any]:
        """One array of the whole network, such as confusion."""
        return self.trace.array(name, epoch=self.number)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str) and "/" in key:
            found: Any = self
            for part in address.parts(key):
                found = found[part]
            return found
        return LayerCell(self, address.layer_name(key, self.trace.layers))

    def __iter__(self) -> Iterator[str]:
        return (f"L_{name}" for name in self.trace.layers)

    def __len__(self) -> int:
        return len(self.trace.layers)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{k}={v:.4g}" for k, v in self.scalars.items())
        return f"<E_{self.number}: {len(self)} layers; {numbers}>"


class LayerCell(Mapping[str, "Neuron"]):
    """`trace["E_30"]["L_hidden_1"]`: one layer at one epoch; its arrays by name, its neurons by index."""

    def __init__(self, epoch: Epoch, name: str):
        self.epoch, self.name = epoch, name
        self._trace = epoch.trace

    @property
    def units(self) -> int:
        return self._trace.units(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """What is recorded of this layer: columns of its stats and arrays."""
        return self._trace.names(self.name)

    def array(self, name: str) -> NDArray[Any]:
        """One statistic of every neuron, or one array of the layer: (neuron, ...)."""
        return self._trace.read(self.name, name, [self.epoch.number])[0]

    @property
    def batches(self) -> NDArray[Any]:
        """Every batch's statistics, (step, neuron, stat), of runs with drop_batches=False."""
        return self._trace.batches(self.name, self.epoch.number)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str) and "/" in key:
            first, *rest = address.parts(key)
            return self[first]["/".join(rest)]
        index = address.neuron_number(key)
        if not 0 <= index < self.units:
            raise UnknownKey(f"Layer {self.name!r} has neurons n_0 to n_{self.units - 1}; there is no n_{index}.")
        return Neuron(self, index)

    def __iter__(self) -> Iterator[str]:
        return (f"n_{index}" for index in range(self.units))

    def __len__(self) -> int:
        return self.units

    def __repr__(self) -> str:
        return f"<E_{self.epoch.number}/L_{self.name}: {self.units} neurons; {', '.join(self.names)}>"


class Neuron(Mapping[str, Any]):
    """`trace["E_30"]["L_hidden_1"]["n_20"]`: statistic -> number, or small array (by class, by input)."""

    def __init__(self, cell: LayerCell, index: int):
        self.cell, self.index = cell, index
        self._values: dict[str, Any] | None = None

    @property
    def signature(self) -> str:
        return f"E_{self.cell.epoch.number}-L_{self.cell.name}-n_{self.index}"

    def _load(self) -> dict[str, Any]:
        """Everything of this neuron in a few small reads; what this epoch does not have is left out."""
        if self._values is None:
            trace, epoch, here = self.cell.epoch.trace, self.cell.epoch.number, slice(self.index, self.index + 1)
            held = trace.entry(epoch).arrays
            self._values = {}
            for spec in trace.specs(self.cell.name):
                if spec.key in held and spec.dims[0] == "neuron":
                    row = trace.store.read(spec.key, [epoch], (here,))[0, 0]
                    self._values |= _named(spec, row)
        return self._values

    def __getitem__(self, key: str) -> Any:
        values = self._load()
        if key not in values:
            recorded = " At this epoch there is no value of it." if key in self.cell.names else ""
            raise UnknownKey(
                f"{self.signature} has no {key!r}.{recorded}{near(key, values)} It has: {listing(values, 60)}."
            )
        return values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())

    def __repr__(self) -> str:
        shown = {k: v if np.ndim(v) else float(f"{v:.4g}") for k, v in self.items() if np.size(v) <= 16}
        return f"<{self.signature}: {shown}>"


def _named(spec: ArraySpec, row: NDArray[Any]) -> dict[str, Any]:
    if spec.dims == ("neuron", "stat"):
        return {c.name: float(v) for c, v in zip(spec.columns, row, strict=True) if not np.isnan(v)}
    return {spec.name: row}
