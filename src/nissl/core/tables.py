"""A trace as tables: pandas, polars or arrow. Every array is read once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import address
from nissl.core.layer import Layer
from nissl.core.store import ArraySpec
from nissl.errors import BadValue, MissingDependency, UnknownName, listing, near

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
INDEX = ["epoch", "layer", "neuron"]
MOST = 200_000_000  # cells; more than this is a mistake, or a job for Dask
ENGINES = {"pandas": "pandas", "polars": "polars", "arrow": "pyarrow"}


def frame(trace: "Trace", layers: Any, stats: Any, *, long: bool, engine: str) -> Any:
    """One row an (epoch, layer, neuron), one column a statistic; or, long, one row a value."""
    if engine not in ENGINES:
        raise BadValue(f"engine={engine!r}: {listing((*ENGINES, 'dask'))}.")
    chosen, names = asked(trace, layers, stats)
    epochs = trace.epochs
    rows = len(epochs) * sum(trace.units(layer) for layer in chosen)
    if rows * max(len(names), 1) > MOST:
        raise BadValue(
            f"{rows:,} rows x {len(names)} statistics do not fit a table. Choose layers=, stats= or epochs (trace['E_1':'E_5']), "
            "or engine='dask': a frame that is read in parts, when it is computed."
        )
    parts = []
    for layer in chosen:
        spec = stats_of(trace, layer)
        table = trace.store.read(spec.key, epochs) if spec else np.zeros((len(epochs), trace.units(layer), 0))
        parts.append(columns(layer, epochs, range(trace.units(layer)), table, spec, names))
    whole = {n: np.concatenate([part[n] for part in parts]) if parts else np.zeros(0) for n in (*INDEX, *names)}
    by_epoch = np.argsort(whole["epoch"], kind="stable")  # rows in the order of their index
    whole = {name: column[by_epoch] for name, column in whole.items()}
    return _made(melted(whole, names) if long else whole, engine, INDEX)


def stats_of(trace: "Trace", layer: str) -> ArraySpec | None:
    """The layer's array of statistics, if it has one."""
    return next((spec for spec in trace.specs(layer) if spec.name == "stats"), None)


def columns(
    layer: str, epochs: Sequence[int], units: range, table: Array, spec: ArraySpec | None, names: Sequence[str]
) -> dict[str, Array]:
    """The rows of some units at some epochs, from their (epoch, unit, statistic); NaN for what the layer doesn't have."""
    rows = len(epochs) * len(units)
    order = {column.name: at for at, column in enumerate(spec.columns)} if spec else {}
    nothing = np.full(rows, np.nan, table.dtype)
    return {
        "epoch": np.repeat(np.array(epochs, np.int64), len(units)),
        "layer": np.repeat(np.array([layer], dtype=object), rows),
        "neuron": np.tile(np.array(units, np.int64), len(epochs)),
        **{name: table[..., order[name]].reshape(-1) if name in order else nothing for name in names},
    }


def asked(trace: "Trace", layers: Any, stats: Any) -> tuple[list[str], list[str]]:
    """The layers that are meant, and the statistics."""
    some = [layers] if isinstance(layers, str) else layers or trace.layers
    chosen = [address.layer_name(name, trace.layers) for name in some]
    known = dict.fromkeys(c.name for layer in chosen if (spec := stats_of(trace, layer)) for c in spec.columns)
    names = [stats] if isinstance(stats, str) else list(stats or known)
    for name in names:
        if name not in known:
            raise UnknownName(f"No statistic is called {name!r}.{near(name, known)} There are: {listing(known, 60)}.")
    return chosen, names


def melted(whole: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Long: one row a value, and none for what an epoch does not have."""
    rows = len(whole["epoch"])
    long = {key: np.tile(whole[key], len(names)) for key in INDEX}
    long["stat"] = np.repeat(np.array(names, dtype=object), rows)
    long["value"] = np.concatenate([whole[name] for name in names]) if names else np.zeros(0)
    there = ~np.isnan(long["value"])
    return {name: column[there] for name, column in long.items()}


def connections(trace: "Trace", epoch: int | None, engine: str) -> Any:
    """One row a connection between two units, at one epoch or all."""
    epochs = trace.epochs if epoch is None else [trace[epoch].number]
    names = ["epoch", "source_layer", "source_neuron", "target_layer", "target_neuron", "weight"]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for target in trace.layers:
        if "weight" not in trace.names(target):
            continue
        source, units, groups = _source(trace, trace.place(target))
        weights = trace.read(target, "weight", epochs)
        e, n, fan = weights.shape
        each = weights.reshape(e, n, units, fan // units).sum(
            -1
        )  # over kernel positions, or positions of a flattened map
        grid = np.meshgrid(np.array(epochs), np.arange(n), np.arange(units), indexing="ij")
        sources = (
            grid[2] + grid[1] // (n // groups) * units
        )  # a grouped convolution hears its own group's channels only
        values = (grid[0], np.array([source], object), sources, np.array([target], object), grid[1], each)
        for name, value in zip(names, values, strict=True):
            columns[name].append(np.broadcast_to(value, value.shape if value.size == 1 else each.shape).reshape(-1))
        for name in ("source_layer", "target_layer"):
            columns[name][-1] = np.repeat(columns[name][-1], each.size)
    if not columns["weight"]:
        raise UnknownName("No weights were kept in full: record with quantities=[..., Weights(full=True)].")
    return _made({name: np.concatenate(parts) for name, parts in columns.items()}, engine, [])


def _source(trace: "Trace", target: Layer) -> tuple[str, int, int]:
    """Where a layer's weights come from, how many units of it each unit hears, and in how many groups.

    What comes from layers that were not recorded, or from several joined, bears their names and is counted as it arrives.
    """
    shape = target.parameters.get("weight", (0, 1))
    fan = int(np.prod(shape[1:]))
    sizes = {name: trace.units(name) for name in target.inputs if name in trace.layers}
    for name, units in sizes.items():
        if units and (shape[1] == units or (len(shape) == 2 and fan % units == 0)):
            return name, units, 1
    for name, units in sizes.items():
        if target.kind == "conv" and units % shape[1] == 0 and shape[0] % (units // shape[1] or 1) == 0 and units:
            return name, shape[1], units // shape[1]
    return "+".join(target.inputs) or "input", shape[1], 1


def _made(columns: dict[str, Any], engine: str, index: list[str]) -> Any:
    if engine not in ENGINES:
        raise BadValue(f"engine={engine!r}: {listing(ENGINES)}.")
    try:
        if engine == "pandas":
            import pandas

            made = pandas.DataFrame(columns)
            keys = index + (["stat"] if index and "stat" in columns else [])
            return made.set_index(keys) if keys else made
        if engine == "polars":
            import polars

            return polars.DataFrame({k: v.tolist() if v.dtype == object else v for k, v in columns.items()})
        import pyarrow

        return pyarrow.table({k: v.tolist() if v.dtype == object else v for k, v in columns.items()})
    except ImportError as error:
        raise MissingDependency(f"engine={engine!r} needs {ENGINES[engine]}: pip install {ENGINES[engine]}") from error
