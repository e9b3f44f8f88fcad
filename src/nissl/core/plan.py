"""Which arrays an epoch will hold, known before it is heard: declared, packed, and counted in bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nissl.core.columns import prefixed
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Quantity
from nissl.core.store import ArraySpec

PROBED = ("activation", "preactivation", "outputs")
"""Needs that are heard on the probe as well; what comes of them is named with PROBE in front."""
WHOLE = ("outputs", "attribution")
"""Needs that are (also) answered for the whole network."""
HEARD_IN_STEPS = (*PROBED, "gradient")
PROBE = "probe_"
BATCH = ("count", "mean", "std", "min", "max", "active", "magnitude")
"""The columns kept for every batch where batches are kept."""


class Plan:
    """The arrays of every layer, from the quantities and what is known of the run."""

    def __init__(
        self, quantities: Sequence[Quantity], context: Context, *, steps: bool = True, precision: str = "float32",
        merges: bool = False,
    ):  # fmt: skip
        """`steps`: are the training steps heard too, or the probe alone? `merges`: other processes give parts of it."""
        self.quantities, self.context, self.steps = tuple(quantities), context, steps
        self._precision, self._merges = precision, merges
        self._specs: dict[str | None, tuple[ArraySpec, ...]] = {}

    def specs(self, layer: Layer | None) -> tuple[ArraySpec, ...]:
        """What one layer (None: the whole network) gives; ("neuron",) arrays are packed into one called stats."""
        name = layer.name if layer else None
        if name not in self._specs:
            self._specs[name] = tuple(
                replace(spec, dtype=self._precision) if spec.dtype == "float32" else spec
                for spec in _packed(self._declared(layer), layer)
            )
        return self._specs[name]

    def _declared(self, layer: Layer | None) -> list[ArraySpec]:
        found: list[ArraySpec] = []
        for quantity in self.quantities:
            if suits(quantity, layer):
                if self.steps or quantity.needs not in HEARD_IN_STEPS:
                    found += quantity.declare(layer, self.context)
                if quantity.needs in PROBED and self.context.probe:
                    found += map(probed, quantity.declare(layer, replace(self.context, probing=True)))
        return found

    def pack(self, layer: Layer | None, found: Mapping[str, Array]) -> dict[str, Array]:
        """What the quantities gave, under the keys of `specs`; what is missing is NaN in stats and left out elsewhere."""
        packed: dict[str, Array] = {}
        for spec in self.specs(layer):
            if spec.name == "stats":
                table = np.full(spec.shape, np.nan, self._type(spec))
                with np.errstate(over="ignore"):  # beyond float32 is infinity, as in the network itself
                    for i, column in enumerate(spec.columns):
                        if column.name in found:
                            table[:, i] = found[column.name]
                packed[spec.key] = table
            elif spec.name in found:
                with np.errstate(over="ignore"):
                    packed[spec.key] = np.ascontiguousarray(found[spec.name], self._type(spec))
        return packed

    def _type(self, spec: ArraySpec) -> str:
        """What will be reckoned with is not rounded before: then the parts of processes add up to what one would have had."""
        merges = self._merges and any(column.merge != "first" for column in spec.columns)
        return "float64" if merges and spec.dtype == "float32" else spec.dtype

    def bytes_per_epoch(self, layers: Iterable[Layer]) -> dict[str, int]:
        """Uncompressed, by array name; layers whose units are not known yet count as nothing."""
        total: dict[str, int] = {}
        for layer in [None, *layers]:
            if layer is None or layer.units:
                for spec in self.specs(layer):
                    size = int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize
                    total[spec.name] = total.get(spec.name, 0) + size
        return total


def suits(quantity: Quantity, layer: Layer | None) -> bool:
    """Outputs belong to the whole network, everything else to layers; a later call (`name#2`) has no parameters of its own."""
    if layer is None or quantity.needs == "outputs":
        return layer is None and quantity.needs in WHOLE
    return "#" not in layer.name or not quantity.needs.startswith("parameter")


def probed(spec: ArraySpec) -> ArraySpec:
    """The same array as heard on the probe."""
    return replace(spec, name=PROBE + spec.name, columns=tuple(prefixed(c, PROBE) for c in spec.columns))


def _packed(declared: list[ArraySpec], layer: Layer | None) -> Iterable[ArraySpec]:
    name = layer.name if layer else None
    columns = tuple(spec.columns[0] for spec in declared if spec.dims == ("neuron",))
    if columns and layer and layer.units:
        labels = {"stat": tuple(column.name for column in columns)}
        yield ArraySpec("stats", ("neuron", "stat"), (layer.units, len(columns)), name, columns=columns, labels=labels)
    for spec in declared:
        if spec.dims != ("neuron",):
            yield replace(spec, layer=name)


def rounded(values: Array, bits: int | None) -> Array:
    """Floats with their mantissa rounded to so many bits, to nearest; others and None unchanged."""
    if bits is None or values.dtype != np.float32 or bits >= 23:
        return values
    drop = 23 - bits
    raw = np.ascontiguousarray(values).view(np.uint32).copy()
    finite = np.isfinite(values)
    raw[finite] = (raw[finite] + np.uint32(1 << (drop - 1))) & np.uint32(0xFFFFFFFF << drop & 0xFFFFFFFF)
    back = raw.view(np.float32)
    return np.where(np.isfinite(back) | ~finite, back, values)  # rounding up must not overflow to infinity


def batch_spec(layer: Layer, block: int, steps: int) -> ArraySpec:
    """A block of `steps` batches; an epoch has as many blocks as it needs, the last one filled up with NaN."""
    labels = {"batch_stat": BATCH}
    return ArraySpec(
        f"batches.{block}",
        ("step", "neuron", "batch_stat"),
        (steps, layer.units or 0, len(BATCH)),
        layer.name,
        labels=labels,
    )
