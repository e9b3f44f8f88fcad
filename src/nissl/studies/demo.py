"""`demo`: a small network learns while it is recorded, and what was seen is told."""

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nissl.core.screen import amount
from nissl.core.settings import DEFAULT
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.core.view import View
from nissl.errors import BadValue, NoTrace
from nissl.studies.train import train
from nissl.views.confusions import Confusions
from nissl.views.curves import Curves
from nissl.views.divergence import Divergence
from nissl.views.emergence import Emergence
from nissl.views.histories import Histories
from nissl.views.owners import Owners
from nissl.views.pathways import Pathways

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Demo:
    """What `demo` leaves behind."""

    path: Path
    trace: Trace
    seen: tuple[tuple[str, str], ...]
    """What there was, and what it was like."""
    pictures: Mapping[str, View]
    """Worth painting, by the file's name."""
    seconds: float

    @property
    def best(self) -> str:
        """The address of the unit that adds most to any class."""
        return max(adders(self.trace), key=lambda found: found[2])[1]

    @property
    def adds_to(self) -> str:
        """The class that it adds to."""
        return max(adders(self.trace), key=lambda found: found[2])[0]


def demo(
    out: str | Path = "results", *, binary: bool = False, epochs: int = 20, seed: int = 0, progress: bool = True
) -> Demo:
    """Record a network that learns handwritten digits (`binary`: two classes of known making) into a folder under `out`."""
    if epochs < 1:
        raise BadValue(f"epochs={epochs}: at least 1.")
    began = time.perf_counter()
    data, model, options = ("binary", "simple_nn", {}) if binary else ("digits", "mlp", {"hidden": (400, 256, 144)})
    path = Path(out) / data
    _cleared(path)
    train(
        path, data=data, model=model, model_options=options, epochs=epochs, seed=seed, device="cpu", progress=progress,
        quantities=(*DEFAULT, "structures"),
    )  # fmt: skip
    trace = opened(path)
    seconds = time.perf_counter() - began
    return Demo(path, trace, tuple(_seen(trace, seconds)), _pictures(trace, binary=binary), seconds)


def _cleared(path: Path) -> None:
    """Remove an earlier demo's trace; a folder that holds none is not ours to touch."""
    if not path.exists() or not any(path.iterdir()):
        return
    try:
        opened(path)
    except NoTrace as error:
        raise BadValue(f"{path} holds something that is no trace: name another place with out.") from error
    shutil.rmtree(path)


def _pictures(trace: Trace, *, binary: bool) -> dict[str, View]:
    first, last = trace.epochs[0], trace.epochs[-1]
    pictures: dict[str, View] = {
        f"pathways_{first}": Pathways(trace, epoch=first),
        f"pathways_{last}": Pathways(trace, epoch=last),
        f"pathways_{last}_by_activity": Pathways(trace, epoch=last, dye="contrast"),
        "owners": Owners(trace.structures(last), f"epoch {last}"),
        "emergence": Emergence(trace),
        "histories": Histories(trace),
        "curves": Curves(trace),
        "confusions": Confusions(trace),
    }
    if binary:
        return pictures | {"divergence": Divergence(trace)}
    one, two = _confused(trace)
    return pictures | {f"pathways_of_{one}_and_{two}": Pathways(trace, epoch=last, classes=(one, two))}


def _confused(trace: Trace) -> tuple[str, str]:
    """The two classes that are most often taken for one another at the last epoch."""
    table = np.array(trace[trace.epochs[-1]].array("probe_confusion"))
    both = table + table.T
    np.fill_diagonal(both, -1)
    one, two = sorted(np.unravel_index(both.argmax(), both.shape))
    return trace.classes[one], trace.classes[two]


def _seen(trace: Trace, seconds: float) -> Iterator[tuple[str, str]]:
    entries, header = trace.entries, trace.header
    first, last = entries[0], entries[-1]
    shape = ", ".join(f"{name} {trace.units(name)}" for name in trace.layers)
    yield "network", f"{header['config']['model']['name']}: {shape}"
    yield "data", f"{header['config']['data']['name']}, {len(trace.classes)} classes; the probe is the held-out part"
    yield "recorded", f"{len(entries)} epochs, E_{first.epoch} to E_{last.epoch}, in {seconds:.1f} s"
    for name in ("probe_accuracy", "probe_loss"):
        if name in first.scalars and name in last.scalars:
            yield f"held-out {name.removeprefix('probe_')}", f"{first.scalars[name]:.3f} -> {last.scalars[name]:.3f}"
    for layer in _inner(trace):
        yield f"silent units, {layer}", _silent(trace, layer)
    if len(trace.classes) == 2:
        for layer in _inner(trace):
            yield f"serve a class, {layer}", _parted(trace, layer)
    yield from _structures(trace)
    for said, address, apart in _tellers(trace):
        yield f"activity tells {said} best", f"{address}  (d' {apart:.1f})"
    costs = header["costs"]
    heard, noted = costs["seconds_hearing"], costs["seconds_reading"] + costs["seconds_writing"]
    loop = noted + sum(entry.scalars.get("seconds", 0.0) for entry in entries)
    yield "cost of recording", f"{heard + noted:.2f} s of the loop's {loop:.2f} s, {amount(costs['bytes'])} written"


def _inner(trace: Trace) -> tuple[str, ...]:
    return trace.layers[:-1] or trace.layers


def _silent(trace: Trace, layer: str) -> str:
    """Units that answer nothing in the probe, at the first epoch and at the last."""
    active = np.asarray(trace.layer(layer).array("probe_active").values)
    counts = (active == 0).sum(1)
    return f"{counts[0]} -> {counts[-1]} of {trace.units(layer)}"


def _parted(trace: Trace, layer: str) -> str:
    """The two classes' sets, as in the picture: units whose mean response is above the mean over their layer."""
    mean = np.asarray(trace[trace.epochs[-1]][layer].array("probe_class_mean"), np.float64)
    one, two = (mean > mean.mean(0)).T
    parts = {
        f"{trace.classes[0]} only": one & ~two,
        "both": one & two,
        f"{trace.classes[1]} only": two & ~one,
        "neither": ~one & ~two,
    }
    return ", ".join(f"{int(part.sum())} {name}" for name, part in parts.items())


def _structures(trace: Trace) -> Iterator[tuple[str, str]]:
    """What attribution says: whose units matter, and how many matter to most classes."""
    for name, address, score in adders(trace):
        yield f"adds most to {name}", f"{address}  ({score:+.2f} log-odds)"
    family = trace.structures(rank="score")  # by contrast nobody is shared
    backbone = family.backbone
    yield (
        "backbone",
        f"{len(backbone)} of {sum(backbone.every().values())} units are of the best tenth for most classes",
    )
    for layer, owner in family.owners().items():
        yield f"add to a class, {layer}", f"{int((owner >= 0).sum())} of {len(owner)}"


def adders(trace: Trace) -> list[tuple[str, str, float]]:
    """For each class the unit that adds most to its log-odds: (class, address, how much)."""
    best = []
    for name, one in trace.structures().items():
        layer = max(one.scores, key=lambda layer: float(np.nanmax(one.scores[layer])))
        unit = int(np.nanargmax(one.scores[layer]))
        best.append((name, f"e{one.recipe['epoch']}/{layer}/n{unit}", float(one.scores[layer][unit])))
    return best


def _tellers(trace: Trace) -> list[tuple[str, str, float]]:
    """For each class the unit that answers to it most unlike to the others: (class, address, separation)."""
    last, best = trace.epochs[-1], []
    for number, name in enumerate(trace.classes):
        found = [(layer, separation(trace, layer, number)) for layer in _inner(trace)]
        layer, apart = max(found, key=lambda pair: float(pair[1].max()))
        best.append((name, f"e{last}/{layer}/n{int(apart.argmax())}", float(apart.max())))
    return best


def separation(trace: Trace, layer: str, number: int, epoch: int | None = None) -> Floats:
    """d' of each unit for one class against the others: difference of the means in standard deviations; 0 where silent."""
    cell = trace[trace.epochs[-1] if epoch is None else epoch][layer]
    mean, std = (np.asarray(cell.array(f"probe_{name}"), np.float64) for name in ("class_mean", "class_std"))
    others = np.delete(mean, number, 1), np.delete(std, number, 1)
    spread = np.sqrt((std[:, number] ** 2 + (others[1] ** 2).mean(1)) / 2)
    return np.divide(mean[:, number] - others[0].mean(1), spread, out=np.zeros(len(mean)), where=spread > 0)
