"""The network trace: a hypercube epoch x layer x neuron x statistic (x class), opened without the model or its framework."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nissl.core import address
from nissl.core.cells import Epoch
from nissl.core.history import LayerHistory
from nissl.core.labelled import Labelled, Series
from nissl.core.layer import Layer
from nissl.core.outlook import Outlook
from nissl.core.places import store_at
from nissl.core.ranks import lacks
from nissl.core.store import ArraySpec, Entry, Store
from nissl.errors import DamagedTrace, NisslWarning, UnknownName, listing, near

_Made = TypeVar("_Made")


class Trace(Mapping[str, Epoch]):
    """`trace["E_30"]["L_hidden_1"]["n_20"]`, `trace["e30/hidden_1/n20"]`, `trace["E_10":"E_30"]`; lazy throughout."""

    def __init__(self, store: Store, only: Sequence[int] | None = None):
        self.store = store
        self._only = None if only is None else set(only)
        self._warned: set[int] = set()

    # epochs

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The committed epochs of this trace that can be read; damaged ones are named in a warning and in `damaged`."""
        fine = []
        for entry in self.store.entries():
            if self._only is not None and entry.epoch not in self._only:
                continue
            if entry.damage is None:
                fine.append(entry)
            elif entry.epoch not in self._warned:
                self._warned.add(entry.epoch)
                warnings.warn(f"nissl: epoch {entry.epoch} cannot be read: {entry.damage}", NisslWarning, stacklevel=3)
        return tuple(fine)

    @property
    def damaged(self) -> dict[int, str]:
        """Epochs that cannot be read, and why."""
        return {entry.epoch: entry.damage for entry in self.store.entries() if entry.damage}

    @property
    def missing(self) -> dict[int, tuple[int, ...]]:
        """Epochs that lack what some of the processes saw, and the ranks of these: they died, or were too late."""
        return {entry.epoch: entry.missing for entry in self.store.entries() if entry.missing}

    def undamaged(self, make: Callable[[], _Made]) -> _Made:
        """What `make` makes of the epochs that can be read; damage that only shows on the way is named, and left out."""
        while True:
            known = len(self.damaged)
            try:
                return make()
            except DamagedTrace:
                if len(self.damaged) == known:
                    raise

    @property
    def epochs(self) -> list[int]:
        return [entry.epoch for entry in self.entries]

    def entry(self, epoch: int) -> Entry:
        for entry in self.store.entries():
            if entry.epoch == epoch:
                return entry
        raise address.missing_epoch(epoch, self.epochs)

    @property
    def scalars(self) -> dict[str, Labelled]:
        """Loss, accuracy and other numbers over the epochs; NaN where an epoch has none."""
        entries = self.entries
        names = dict.fromkeys(name for entry in entries for name in entry.scalars)
        at = {"epoch": tuple(entry.epoch for entry in entries)}
        return Series(
            (name, Labelled(name, np.array([e.scalars.get(name, np.nan) for e in entries], float), ("epoch",), at))
            for name in names
        )

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            cut = Trace(self.store, address.chosen(self.epochs, key))
            cut._warned = self._warned  # what was said once is not said of every part
            return cut
        if isinstance(key, str) and ("/" in key or "?" in key) and address.parts(key):
            address.understood(key)
            found: Any = self
            for part in address.parts(key):
                found = found[part]
            return found
        number = address.epoch_number(key)
        known = self.epochs
        if number in self.damaged and (self._only is None or number in self._only):
            raise DamagedTrace(f"Epoch {number} cannot be read: {self.damaged[number]}")
        if number not in known:
            raise address.missing_epoch(number, known)
        return Epoch(self, number)

    def __iter__(self) -> Iterator[str]:
        return (f"E_{epoch}" for epoch in self.epochs)

    def __len__(self) -> int:
        return len(self.epochs)

    # layers

    @property
    def header(self) -> Mapping[str, Any]:
        """How the trace was made: model, settings, classes, costs."""
        return self.store.header

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.header.get("classes", ()))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the recorded layers, in order of use."""
        recorded = {spec.layer for spec in self.store.specs.values() if spec.layer is not None}
        named = [layer["name"] for layer in self.header.get("layers", ())]
        return tuple([name for name in named if name in recorded] + sorted(recorded - set(named)))

    def place(self, name: str) -> Layer:
        """What was known of the layer when it was recorded."""
        for layer in self.header.get("layers", ()):
            if layer["name"] == name:
                return Layer.of(layer)
        return Layer(name, "other", self.units(name))

    def layer(self, name: str) -> LayerHistory:
        """One layer over all epochs."""
        return LayerHistory(self, address.layer_name(name, self.layers))

    def units(self, layer: str) -> int:
        for spec in self.specs(layer):
            if "neuron" in spec.dims:
                return spec.shape[spec.dims.index("neuron")]
        return 0

    def specs(self, layer: str | None) -> list[ArraySpec]:
        return [spec for spec in self.store.specs.values() if spec.layer == layer]

    def names(self, layer: str | None) -> tuple[str, ...]:
        """Columns of the stats, then the other arrays; blocks of batches are read by `batches`."""
        names: list[str] = []
        for spec in self.specs(layer):
            names += [c.name for c in spec.columns] if spec.name == "stats" else [spec.name]
        return tuple(name for name in names if not name.startswith("batches."))

    def spec(self, layer: str | None, name: str) -> ArraySpec:
        for spec in self.specs(layer):
            if name in ([c.name for c in spec.columns] if spec.name == "stats" else [spec.name]):
                return spec
        known = self.names(layer)
        where = f"of layer {layer!r}" if layer else "of the whole network"
        raise UnknownName(
            f"Nothing called {name!r} is recorded {where}.{near(name, known)} There are: {listing(known, 60)}."
        )

    def read(self, layer: str | None, name: str, epochs: Sequence[int], where: tuple[slice, ...] = ()) -> NDArray[Any]:
        """(epoch, neuron, ...) of one recorded name."""
        spec = self.spec(layer, name)
        if spec.name != "stats":
            return self.store.read(spec.key, epochs, where)
        column = [c.name for c in spec.columns].index(name)
        cut = (*(where or (slice(None),)), slice(column, column + 1))
        return self.store.read(spec.key, epochs, cut)[..., 0]

    def array(self, name: str, epoch: int | None = None) -> Any:
        """An array of the whole network, such as confusion: over all epochs (labelled), or at one."""
        spec = self.spec(None, name)
        if epoch is not None:
            return self.store.read(spec.key, [epoch])[0]
        epochs, values = self.undamaged(lambda: (known := self.epochs, self.store.read(spec.key, known)))
        return Labelled(name, values, ("epoch", *spec.dims), {"epoch": tuple(epochs), **spec.labels})

    def batches(self, layer: str, epoch: int) -> NDArray[Any]:
        """(step, neuron, stat) of every batch of an epoch."""
        from nissl.core import batches

        return batches.table(self, layer, epoch)

    # tables

    def to_dataframe(self, layers: Any = None, stats: Any = None, *, long: bool = False, engine: str = "pandas") -> Any:
        """Rows (epoch, layer, neuron), one column a statistic; long: one row a value.

        engine "pandas", "polars", "arrow", or "dask": a lazy frame in parts of bounded size, whose index are columns.
        """
        from nissl.core import partitions, tables

        if engine == "dask":
            return partitions.frame(self, layers, stats, long=long)
        return self.undamaged(lambda: tables.frame(self, layers, stats, long=long, engine=engine))

    def to_xarray(self, chunks: Any = None) -> Any:
        """An xarray.DataTree with a node for each layer, lazy; with `chunks` Dask's, for traces of any size.

        chunks="auto" or {} cuts as the trace lies on disk, so that nothing is read twice; {"epoch": 1} asks otherwise.
        """
        from nissl.core import cubes

        return cubes.tree(self, chunks)

    def profile(
        self, measure: Any = "mean", layers: Any = None, *, probe: bool | None = None, chunks: Any = "auto", **options: Any,
    ) -> Any:  # fmt: skip
        """What each unit's responses to the classes say, as an xarray.DataTree with a node for each layer; Dask computes it.

        `measure`: a file of nissl/profiles (mean, contrast, selectivity ...), with its `options`, or an instance of its class.
        `probe`: as heard on the held-out probe, or in training; None: the probe where there was one. chunks=None: at once.
        """
        from nissl.core import profile

        return profile.tree(self, profile.measured(measure, options), layers, probe, chunks)

    def connections(self, epoch: int | str | None = None, *, engine: str = "pandas") -> Any:
        """Rows (epoch, source layer and neuron, target layer and neuron, weight), where weights were kept in full.

        Where a unit has several weights for another (a kernel's positions, a flattened map's), `weight` is their sum.
        """
        from nissl.core import tables

        chosen = None if epoch is None else address.epoch_number(epoch)
        return self.undamaged(lambda: tables.connections(self, chosen, engine))

    # structures

    def structures(self, epoch: Any = None, *, size: float = 0.1, rank: str = "contrast", model: Any = None) -> Any:
        """Of all classes, at an epoch, None: the last. `model`, to cut in: its units must be these, its weights are not checked."""
        from nissl.core import traced

        return self.undamaged(lambda: traced.structures(self, epoch, size, rank, model))

    def structure_events(
        self, target: Any = None, *, size: float = 0.1, rank: str = "contrast", lasting: int = 3
    ) -> Any:
        """Rows (epoch, event, class, layer, neuron, before): units born into structures, dying out of them, changing owner.

        And "freeze": a structure has settled. `lasting`: for how many recorded epochs something must last to be an event.
        """
        from nissl.core import events

        return self.undamaged(lambda: events.events(self, target, size, rank, lasting))

    def class_sets(self, epoch: Any = None, *, model: Any = None) -> Any:
        """For each class the units that answer to it above their layer's mean: sets to combine, proved to matter for nothing."""
        from nissl.core import annotation

        return self.undamaged(lambda: annotation.class_sets(self, epoch, model))

    def view(self, at: str | Outlook = "", **options: Any) -> Any:
        """The microscope at an address, "e30/hidden_1/n20?stain=3,8": in a notebook a widget, elsewhere a page, until interrupted."""
        return import_module("nissl.apps.notebook").view(self, at, **options)  # by name: a noun knows no page

    # time

    @property
    def closed(self) -> bool:
        """Was the recording finished?"""
        return bool(self.header.get("closed", False))

    def follow(self, poll: float = 0.2, timeout: float | None = None) -> Iterator[Epoch]:
        """Every epoch as it is committed, from the first on, until the recording is closed (or `timeout` seconds pass without one)."""
        from nissl.core import waiting

        return waiting.committed(self, poll, timeout)

    def __repr__(self) -> str:
        from nissl.core import card

        return card.line(self, whole=self._only is None)

    def _repr_html_(self) -> str:
        from nissl.core import card

        return card.html(self)


def open(path: str | Path) -> Trace:  # noqa: A001 - `nissl.open` reads as what it does
    """The trace at `path`, also while it is being recorded."""
    store = store_at(path)
    store.header  # noqa: B018 - NoTrace now, not at the first look
    trace = Trace(store)
    if trace.missing:
        warnings.warn(f"nissl: {path}: {lacks(trace.missing)}", NisslWarning, stacklevel=2)
    return trace
