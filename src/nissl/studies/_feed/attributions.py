"""`attributions/EXAMPLE.METHOD.bin`: what the network's answer owes to each value of one example, at the stages that were kept of it."""

import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from nissl import plugins
from nissl.core.attributing import attribute
from nissl.core.network import Network
from nissl.core.pictures import images
from nissl.core.targets import predicted
from nissl.errors import MissingData, NisslError, NisslWarning
from nissl.studies._feed.packing import Array, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.probed import probabilities, worst
from nissl.studies._feed.thumbs import grey
from nissl.studies.attribution import five

PANELS = "panels"
METHODS = (
    PANELS,
    "guided_backprop",
    "integrated_gradients",
    "smooth_grad",
    "gradient_input",
    "occlusion",
    "deconvnet",
    "lrp",
)
"""exigo's five panels, and methods that ask nothing but the network; the first two are what a report holds."""
STAGES, WORST = 8, 24
"""At most so many stages are shown, spread over the training; of so many mistakes a report holds attributions."""


class Attributions(Part):
    def told(self) -> dict[str, Any] | None:
        if not self.stage.alive:
            return {
                "absent": "What an answer owes to each value of an example is computed from the network, which is not at hand: open the page by "
                "`nissl view RUN` where `nissl train` kept it, else with --model FILE.py:NAME --data FILE.py:NAME."
            }
        if not self.stage.probed.count:
            return {"absent": "Nothing was recorded of single examples."}
        known = plugins.names("attribution")
        return {"methods": [name for name in METHODS if name == PANELS or name in known], "worst": WORST}

    def names(self) -> Iterator[str]:
        probed = self.stage.probed
        if "absent" in (self.told() or {}) or not probed.answered:
            return
        try:
            self._stages()
            self._one(0)
        except (NisslError, OSError, ImportError):
            return
        for sample in worst(probed, probed.answered[-1], WORST):
            yield from (f"{sample}.{method}.bin" for method in METHODS[:2])

    def file(self, rest: str) -> bytes:
        said, _, method = rest.removesuffix(".bin").partition(".")
        sample = number(said)
        if sample is None or sample >= self.stage.probed.count or method not in METHODS or not rest.endswith(".bin"):
            raise self.unknown(rest, f"EXAMPLE.METHOD.bin of the methods {', '.join(METHODS)}")
        x = self._one(sample)
        arrays: dict[str, Array] = {"source": self._source(x)}
        told = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NisslWarning)
            for place, (name, epoch) in enumerate(self._stages()):
                with self.stage.moments.at(epoch) as net:
                    found, heard = _panels(net, x, method, self._least)
                for title, values in found.items():
                    arrays[f"{place}.{title}"] = values
                told.append({"name": name, "epoch": epoch, **heard})
        panels = [title for title in dict.fromkeys(name.partition(".")[2] for name in arrays) if title]
        return packed(
            {"method": method, "stages": told, "panels": panels, "shape": list(arrays[f"0.{panels[0]}"].shape)}, arrays
        )

    def _stages(self) -> list[tuple[str, int | None]]:
        """The epochs whose weights were kept, spread over the training, and the network as it is at hand."""
        kept = list(self.stage.moments.epochs)
        most = min(len(kept), STAGES - 1)
        spread = [round(k * (len(kept) - 1) / max(most - 1, 1)) for k in range(most)]
        return [*((f"epoch {kept[k]}", kept[k]) for k in dict.fromkeys(spread)), ("the network at hand", None)]

    def _one(self, sample: int) -> Array:
        x = self.stage.probed.inputs[sample : sample + 1]
        if x.dtype.kind != "f":
            raise MissingData(f"Attributions are of numbers, and these examples are {x.dtype}.")
        return x

    @cached_property
    def _least(self) -> float:
        """The baseline: the least value that the examples have."""
        return float(self.stage.probed.inputs.min())

    def _source(self, x: Array) -> Array:
        """As it looks; of tables and signals nothing."""
        inputs = self.stage.probed.inputs
        found = images(x, (float(inputs.min()), float(inputs.max())))
        return np.zeros((0, 0, 1), np.uint8) if found is None else grey(found)[0]


def _panels(net: Network, x: Array, method: str, least: float) -> tuple[dict[str, Array], dict[str, Any]]:
    """Maps by title, and what was answered: of whose class they are."""
    outputs = net.to_numpy(net.forward(x))
    answer = int(predicted(outputs)[0])
    chances = probabilities(outputs) if outputs.ndim == 2 else np.zeros((1, 0))
    made = five(net, x, baseline=least) if method == PANELS else {method: attribute(net, x, by=method)}
    maps = {title: _flat(one.values[0], None if one.axis is None else one.axis - 1) for title, one in made.items()}
    p = float(chances[0, answer]) if answer < chances.shape[1] else None
    return maps, {"said": answer, "p": None if p is None or not np.isfinite(p) else round(p, 4)}


def _flat(values: Array, axis: int | None) -> Array:
    """(row, column), colours summed; of a table one row."""
    found = np.nan_to_num(values.astype(np.float64))
    if axis is not None and found.ndim > 2:
        found = found.sum(axis)
    return np.ascontiguousarray(found.reshape(1, -1) if found.ndim < 2 else found, np.float32)
