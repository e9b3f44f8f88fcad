"""`Probed`: the examples that were shown at every recorded epoch: what was answered, what layers said of them, how they look."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from nissl.core.aim import looks_squashed
from nissl.core.trace import Trace
from nissl.core.trial import guesses
from nissl.errors import MissingData, NisslError
from nissl.studies._feed.packing import Array
from nissl.studies.subject import Subject, recorded_data

HELD = 24 * 2**20
"""About how many bytes of each kind a report holds, before they are packed: the last epochs come first."""


class Probed:
    """`network`: makes the network and its examples, where they can be had."""

    def __init__(self, trace: Trace, network: Callable[[], Subject] | None):
        self.trace, self._network = trace, network

    @cached_property
    def layers(self) -> list[str]:
        """Those that were kept example by example."""
        return [name for name in self.trace.layers if any(spec.name == "samples" for spec in self.trace.specs(name))]

    @cached_property
    def count(self) -> int:
        """How many examples; 0 where nothing was kept of single ones."""
        for name in (None, *self.layers):
            for spec in self.trace.specs(name):
                if spec.name in ("probe_prediction", "samples"):
                    return spec.shape[0]
        return 0

    def epochs(self, layer: str) -> list[int]:
        """At which its samples were recorded."""
        key = self.trace.spec(layer, "samples").key
        return [entry.epoch for entry in self.trace.entries if key in entry.arrays]

    @property
    def answered(self) -> list[int]:
        """The epochs of which it is known what was answered to each example."""
        if self._predicted:
            key = self.trace.spec(None, "probe_prediction").key
            return [entry.epoch for entry in self.trace.entries if key in entry.arrays]
        return self.epochs(self.outputs) if self.outputs else []

    @cached_property
    def _predicted(self) -> bool:
        return any(spec.name == "probe_prediction" for spec in self.trace.specs(None))

    @cached_property
    def outputs(self) -> str:
        """The layer that says the classes, where its samples were kept; else nothing."""
        classes, last = len(self.trace.classes), self.trace.layers[-1] if self.trace.layers else ""
        wide = (1, 2) if classes == 2 else (classes,)
        fits = last in self.layers and len(self.trace.spec(last, "samples").shape) == 2
        return last if fits and classes and self.trace.units(last) in wide else ""

    @cached_property
    def labels(self) -> Array | None:
        """The class of each example, -1 where it has none; None where it was not recorded."""
        if not any(spec.name == "probe_label" for spec in self.trace.specs(None)):
            return None
        key = self.trace.spec(None, "probe_label").key
        epoch = next((entry.epoch for entry in self.trace.entries if key in entry.arrays), None)
        return None if epoch is None else np.maximum(np.asarray(self.trace.array("probe_label", epoch)), -1)

    def said(self, epoch: int) -> Array:
        """The class that was answered to each example."""
        if self._predicted:
            return np.asarray(self.trace.array("probe_prediction", epoch))
        outputs = self.values(self.outputs, epoch)
        return guesses(outputs, squashed=looks_squashed(outputs))

    def chances(self, epoch: int, some: slice = slice(None)) -> Array | None:
        """(example, class): the probability that the network gave each class; None where its outputs were not kept."""
        if not self.outputs or epoch not in self.epochs(self.outputs):
            return None
        return probabilities(self.values(self.outputs, epoch, some))

    def values(self, layer: str, epoch: int, some: slice = slice(None)) -> Array:
        """(example, unit), and for maps (example, unit, position)."""
        return np.asarray(self.trace.read(layer, "samples", [epoch], (some,))[0], np.float32)

    @property
    def pictured(self) -> bool:
        """May there be pictures of the examples? Asking costs nothing."""
        config = self.trace.header.get("config", {})
        return self._network is not None or isinstance(config.get("data"), dict)

    @cached_property
    def inputs(self) -> Array:
        """The examples themselves; MissingData where they cannot be had, or are others than those that were recorded."""
        why = "the run does not say which data it was shown"
        for source in (self._recorded, self._shown):
            try:
                sets = source()
            except (NisslError, OSError) as error:
                why = str(error)
                continue
            for given in sets:
                found, y = given if isinstance(given, tuple | list) and len(given) == 2 else (given, None)
                found = np.asarray(found)
                if not (differs := self._differs(found, y)):
                    return found
                why = differs
        raise MissingData(f"There are no pictures of the examples: {why}.")

    def _differs(self, found: Array, y: Any) -> str:
        """Why these are not the examples that were recorded; nothing, where they may be."""
        if found.dtype.kind not in "fiub" or found.ndim < 2 or len(found) != self.count:
            many = f"{len(found):,} of shape {found.shape[1:]}" if found.ndim else "none"
            return f"{self.count:,} examples were recorded, the data hold {many}: they are others"
        labels, own = self.labels, None if y is None else np.asarray(y)
        if labels is None or own is None or own.dtype.kind not in "iub" or own.shape != labels.shape:
            return ""
        other = int(((labels >= 0) & (labels != own)).sum())
        many = f"of {other:,} of {self.count:,} the data say another class than was recorded: they are others"
        return many if other else ""

    def _recorded(self) -> list[Any]:
        return [tuple(recorded_data(self.trace).test)]

    def _shown(self) -> list[Any]:
        """Those that came with the network: loading it takes longer."""
        if self._network is None:
            raise MissingData("the network is not at hand")
        seen = self._network()
        return [given for given in (seen.held_out, *seen.given[::-1], seen.discovery) if given is not None]


def probabilities(outputs: Array) -> Array:
    """(example, class) of what a network answered; of a single output, of class 0 and class 1."""
    wide = np.nan_to_num(np.asarray(outputs, np.float64))
    if wide.shape[1] == 1:
        yes = wide if looks_squashed(outputs) else 1 / (1 + np.exp(-np.clip(wide, -500, 500)))
        return np.concatenate([1 - yes, yes], 1)
    if looks_squashed(outputs):
        return wide
    raised = np.exp(wide - wide.max(1, keepdims=True))
    found: Array = raised / raised.sum(1, keepdims=True)
    return found


def latest(epochs: Sequence[int], each: int, most: int = HELD) -> list[int]:
    """The last epochs of which a report holds files of so many bytes each; always one."""
    return list(epochs[-max(1, most // max(each, 1)) :])


def worst(probed: Probed, epoch: int, count: int) -> list[int]:
    """The mistakes of which the network was surest, the surest first."""
    labels = probed.labels
    if labels is None or epoch not in probed.answered:
        return []
    said, chances = probed.said(epoch), probed.chances(epoch)
    wrong = np.flatnonzero((said != labels) & (labels >= 0))
    sure = np.zeros(len(wrong)) if chances is None else -chances[wrong, said[wrong].clip(0, chances.shape[1] - 1)]
    found: list[int] = wrong[np.argsort(sure, kind="stable")][:count].tolist()
    return found
