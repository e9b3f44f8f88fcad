"""The structures that a trace holds, read without the model that they were found in."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.belonging import Flags, members
from nissl.core.choosing import RANKS, Size, rankings
from nissl.core.fingerprint import fingerprint
from nissl.core.network import Network, network
from nissl.core.structure import Structure
from nissl.core.structures import Structures
from nissl.errors import BadValue, NotHeard, listing

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
SCORES = "attribution"


def structures(trace: "Trace", epoch: Any, size: float, rank: str, model: Any) -> Structures:
    """Those of all classes at one epoch, None: the last that has any."""
    wanted, known = checked(size, rank), epochs(trace)
    number = known[-1] if epoch is None else trace[epoch].number
    if number not in known:
        raise NotHeard(f"No structures were recorded at epoch {number}, only at {listing(f'E_{e}' for e in known)}.")
    tables = at(trace, number)
    names = next(trace.spec(name, SCORES).labels["class"] for name in tables)
    recipe = {
        "by": "attribution_patching",
        "causal": True,
        "baseline": "mean",
        "metric": "logodds",
        "rank": rank,
        "size": size,
    }
    filled = {name: np.nan_to_num(table) for name, table in tables.items()}
    each = [rankings(rank, {name: table.T for name, table in filled.items()}, k) for k in range(len(names))]
    ranking = {name: np.stack([one[name] for one in each], 1) for name in filled}
    return assembled(trace, number, names, (tables, ranking, members(tables, wanted, rank)), recipe, model)


def checked(size: float, rank: str) -> Size:
    """A size that numbers alone decide."""
    if rank not in RANKS:
        raise BadValue(f"rank={rank!r}: one of {listing(RANKS)}.")
    made = Size(size)
    if made.searched:
        raise BadValue(
            f"size={size!r} has to be tried out on the model, which a trace does without: give a share or a number of units, "
            "or ask nissl.structures(model, data)."
        )
    return made


def layers(trace: "Trace", *, needed: bool = True) -> list[str]:
    """Those whose units were followed; `needed`: there must be one."""
    found = [name for name in trace.layers if SCORES in trace.names(name)]
    if not found and needed:
        raise NotHeard(
            "No structures are in this trace. Record with quantities=[..., 'structures'] and probe=(x, y), or find them in "
            "the model: nissl.structures(model, data)."
        )
    return found


def epochs(trace: "Trace", *, needed: bool = True) -> list[int]:
    """Those at which structures were recorded; `needed`: there must be one."""
    keys = {trace.spec(name, SCORES).key for name in layers(trace, needed=needed)}
    found = [entry.epoch for entry in trace.entries if keys and keys <= entry.arrays]
    if not found and needed:
        raise NotHeard(
            "No epoch of this trace holds structures: nothing was committed yet, or they could not be found."
        )
    return found


def at(trace: "Trace", epoch: int) -> dict[str, Array]:
    """What each unit adds to each class at one epoch, by layer (unit, class)."""
    return {name: np.asarray(trace.read(name, SCORES, [epoch])[0], np.float64) for name in layers(trace)}


def _heard(trace: "Trace") -> int:
    """Of how many classes anything was asked: of each at least one example. A few units tell, of the smallest layer."""
    layer, epoch = min(layers(trace), key=trace.units), epochs(trace)[-1]
    return int(np.isfinite(trace.read(layer, SCORES, [epoch], (slice(0, 64),))[0]).any(0).sum())


def examples(trace: "Trace") -> str:
    """How many examples of the probe were asked for them, in words, as far as the trace tells."""
    settings = ", ".join(trace.header.get("settings", {}).get("quantities", ()))
    counts = [max(int(count), _heard(trace)) for count in re.findall(r"Structures\(examples=(\d+)", settings)]
    if counts and "probe_confusion" in trace.names(None):
        counts.append(int(trace.array("probe_confusion", epochs(trace)[-1]).sum()))
    return f"{min(counts):,} probe examples" if counts else "some of the probe"


def heard(
    trace: "Trace", layer: str | None, name: str, epochs: Sequence[int], where: tuple[slice, ...] = ()
) -> Array | None:
    """One recorded name at these epochs, cut by `where` along its dims, as heard on the probe if it was, else in training; None where it never was."""
    for known in (f"probe_{name}", name):
        if known in trace.names(layer):
            values = np.asarray(trace.read(layer, known, epochs, where), np.float64)
            if np.isfinite(values).any():
                return values
    return None


def assembled(
    trace: "Trace", epoch: int, names: tuple[str, ...],
    found: tuple[Mapping[str, Array], Mapping[str, Array], Mapping[str, Flags]], recipe: Mapping[str, Any], model: Any,
) -> Structures:  # fmt: skip
    """One structure for each class that was measured, of scores, rankings and members by layer (unit, class)."""
    scores, ranking, inside = found
    net = None if model is None else fitting(model, scores)
    mark = fingerprint(net) if net is not None else f"run {trace.header.get('run_id', id(trace.store))}"
    means = {name: heard(trace, name, "mean", [epoch]) for name in scores if trace.place(name).unit != "head"}
    told = {name: mean[0][:, None] for name, mean in means.items() if mean is not None}
    made = {}
    for k, target in enumerate(names):
        if any(np.isfinite(table[:, k]).any() for table in scores.values()):
            chosen = {name: tuple(np.flatnonzero(flags[:, k]).tolist()) for name, flags in inside.items()}
            kept = {name: which for name, which in chosen.items() if which}
            own, order = ({name: table[:, k] for name, table in tables.items()} for tables in (scores, ranking))
            unknown = {name: np.full(len(table), np.nan) for name, table in own.items()}
            made[target] = Structure(
                target, kept, own, unknown, unknown, order, told, {**recipe, "epoch": epoch}, mark, net
            )
    return Structures(made)


def fitting(model: Any, tables: Mapping[str, Array]) -> Network:
    """The model as a network, if it has these units; whether it has the weights of that epoch, only its owner knows."""
    net = network(model)
    units = {layer.name: layer.units for layer in net.layers}
    wrong = [
        f"{name} ({len(table)} units in the trace, {units.get(name, 'no such layer')} in the model)"
        for name, table in tables.items()
        if units.get(name, 0) not in (len(table), None)
    ]
    if wrong:
        raise BadValue(f"This model is not the one that was recorded: {listing(wrong)}.")
    return net
