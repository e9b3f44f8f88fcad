"""What a unit's responses to classes say of it: measures that are numbers in, numbers out, of traces of any size."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import address, cubes
from nissl.core.named import named
from nissl.core.store import ArraySpec
from nissl.core.stored import PIECE
from nissl.errors import NotHeard, listing

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
Responses = Mapping[str, Array]
"""mean and std are (..., neuron, class), NaN where a class was not seen; count is (..., 1, class)."""


class Profile(ABC):
    """A measure; a frozen dataclass of plain options, so that it can be sent to where the numbers are."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Which responses it is made of: mean, std, count. The others are not read."""
        return ("mean",)

    @property
    @abstractmethod
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        """What it finds, by name, with its axes behind the unit's: () is one number a unit; else ("class",) or ("class", "other")."""

    @property
    def whole(self) -> bool:
        """Is a unit judged among all units of its layer at an epoch, as by a correction for the number of tests?"""
        return False

    @abstractmethod
    def measure(self, responses: Responses) -> tuple[Array, ...]:
        """What `gives` names, in that order. Each unit and epoch for itself: any part of them is measured like the whole.

        Each epoch for itself, with all its units, where that is not so (`whole`).
        """


def measured(measure: Any, options: Mapping[str, Any]) -> Profile:
    """The measure that is meant: by name with its options, or one that was made already."""
    found: Profile = named("profiles", Profile, measure, options)
    return found


def tree(trace: "Trace", measure: Profile, layers: Any, probe: bool | None, chunks: Any) -> Any:
    """A DataTree of what is measured, a node for each layer whose responses to classes were recorded."""
    asked = [layers] if isinstance(layers, str) else trace.layers if layers is None else layers
    names = [address.layer_name(layer, trace.layers) for layer in asked]
    specs = {layer: _specs(trace, layer, measure.needs, probe) for layer in names}
    epochs = tuple(trace.epochs)
    none = [layer for layer, found in specs.items() if not found]
    if len(none) == len(names) or (none and layers is not None):
        raise NotHeard(
            f"{listing(none)}: {' and '.join(f'class_{name}' for name in measure.needs)} were not recorded"
            f"{'' if probe is None else ' on the probe' if probe else ' in training'}. Record with classes= and the quantity "
            f"'profile'; there are: {listing(dict.fromkeys(n for layer in names for n in trace.names(layer)))}."
        )
    nodes = {
        cubes.place(layer): _measured(
            measure, cubes.dataset(trace, layer, found, epochs, chunks, _most(measure, found))
        )
        for layer, found in specs.items()
        if found
    }
    return cubes.xarray().DataTree.from_dict(nodes)


def _specs(trace: "Trace", layer: str, needs: tuple[str, ...], probe: bool | None) -> list[ArraySpec]:
    """The arrays that are needed, all of them as heard on the probe or all in training; none where one is not there."""
    known = {spec.name: spec for spec in trace.specs(layer)}
    for prefix in ("probe_", "") if probe is None else ("probe_",) if probe else ("",):
        wanted = [f"{prefix}class_{name}" for name in needs]
        if all(name in known for name in wanted):
            return [known[name] for name in wanted]
    return []


def _most(measure: Profile, specs: Sequence[ArraySpec]) -> int:
    """The bytes of a piece: fewer where more is given than was needed, as pairs of classes are."""
    classes = specs[0].shape[-1]
    given = max(classes ** len(axes) for axes in measure.gives.values())
    return PIECE * classes // max(given, classes, 1)


def _measured(measure: Profile, held: Any) -> Any:
    """The measure of one layer, by numpy or Dask, whichever holds its arrays."""
    held = held.chunk({"neuron": -1, "epoch": 1}) if measure.whole and held.chunks else held
    arrays = [held[name] for name in held.data_vars]
    classes = held.sizes["class"]
    given = list(measure.gives.items())
    trial = _Applied(measure)(*(np.ones((1, 1, classes), array.dtype) for array in arrays))
    found = cubes.xarray().apply_ufunc(
        _Applied(measure),
        *arrays,  # count gets its axis of one neuron by broadcasting
        input_core_dims=[["class"]] * len(arrays),
        output_core_dims=[axes for _, axes in given],
        dask="parallelized",
        output_dtypes=[one.dtype for one in (trial if isinstance(trial, tuple) else (trial,))],
        dask_gufunc_kwargs={
            "output_sizes": dict.fromkeys({axis for _, axes in given for axis in axes} - {"class"}, classes)
        },
    )
    made = dict(zip(measure.gives, found if len(given) > 1 else (found,), strict=True))
    named = {"class": held["class"].values, "other": held["class"].values}
    used = {"class", *(axis for _, axes in given for axis in axes)}
    attributes = {**held.attrs, "measure": repr(measure), "of": list(held.data_vars)}
    return cubes.xarray().Dataset(made, {dim: named[dim] for dim in sorted(used)}, attributes)


class _Applied:
    """A measure as a function of arrays one after another; sent to workers, who need nothing else."""

    def __init__(self, measure: Profile):
        self.measure, self.__name__ = measure, type(measure).__name__

    def __call__(self, *arrays: Array) -> Any:
        found = self.measure.measure(dict(zip(self.measure.needs, arrays, strict=True)))
        return found if len(found) > 1 else found[0]

    def __dask_tokenize__(self) -> Any:
        return repr(self.measure)
