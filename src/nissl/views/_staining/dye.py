"""What the dye of a picture means: what units add to a class, or how active they are for it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nissl.core import traced
from nissl.core.belonging import shares
from nissl.core.trace import Trace
from nissl.errors import BadValue, NotHeard, listing
from nissl.views._staining import lettering
from nissl.views._staining.adding import by_owner, full, stained
from nissl.views._staining.legend import ANSWERS
from nissl.views._staining.responses import (
    MIXED,
    Floats,
    Stain,
    active,
    below,
    brightest,
    by_class,
    order,
    responses,
    scaled,
    source,
    stain,
    strongest,
)

DYES = ("causal", "contrast")
Key = tuple[str, str, str]


class Dye(ABC):
    """One meaning of the dyes in one picture: of a trace at an epoch, for some of its classes."""

    name: str
    does: str
    """What a unit does for a class."""
    between: str = ""
    """Between which units paths are drawn."""

    def __init__(self, trace: Trace, epoch: int):
        self.trace, self.epoch = trace, epoch

    @cached_property
    @abstractmethod
    def layers(self) -> list[str]:
        """Those whose units can be stained, in order of use."""

    @abstractmethod
    def stain(self, layer: str, chosen: Sequence[int]) -> Stain: ...

    @abstractmethod
    def table(self, layer: str) -> tuple[Floats, float]:
        """What the stain is made of, (unit, class), as it was recorded; and how much counts as full, at every epoch."""

    @abstractmethod
    def laid(self, layer: str) -> tuple[NDArray[np.int64], float]:
        """In which order units lie, and how much counts as full: at every epoch as the last one has it, which is read once."""

    def order(self, layer: str) -> NDArray[np.int64]:
        """In which order units lie."""
        return self.laid(layer)[0]

    def key(self, chosen: Sequence[int]) -> Key:
        """What grey, dye and a blank cell say."""
        return ANSWERS

    @abstractmethod
    def said(self, layers: Sequence[str], chosen: Sequence[int]) -> str:
        """For the caption."""

    def stands_in(self, layer: str) -> bool:
        """Is this layer stained by something else, for want of what the dye is made of?"""
        return False

    def members(self, chosen: Sequence[int]) -> Mapping[str, NDArray[np.bool_]] | None:
        """By layer (unit, chosen class): between which units paths may be drawn; None: all."""
        return None


class Contrast(Dye):
    """How active a unit is for a class above the others: an annotation."""

    name = "activity"
    does = "answers to"

    @cached_property
    def layers(self) -> list[str]:
        return active(self.trace)

    def stain(self, layer: str, chosen: Sequence[int]) -> Stain:
        return stain(responses(self.trace, layer, [self.epoch])[0], chosen)

    def table(self, layer: str) -> tuple[Floats, float]:
        return by_class(self.trace, layer, [self.epoch])[0], brightest(self.trace, layer)

    def laid(self, layer: str) -> tuple[NDArray[np.int64], float]:
        last = by_class(self.trace, layer, self.trace.epochs[-1:])[0]
        whole = strongest(last)
        return order(scaled(last, whole)), whole

    def said(self, layers: Sequence[str], chosen: Sequence[int]) -> str:
        count, trace = len(self.trace.classes), self.trace
        return (
            "Dye is how active a unit is for a class, which is not proved to matter: its mean response above 1.15 x its mean over "
            f"all {count} classes, grey what it answers to all alike{below(trace, layers, self.epoch)}; from "
            f"{source(trace, layers)}, each layer scaled by its last epoch"
        )


class Causal(Dye):
    """What a unit adds to a class's log-odds, by the attribution that was recorded; activity where there is none."""

    name = "attribution"
    does = "adds to"
    between = " between units that add to the class"

    def __init__(self, trace: Trace, epoch: int):
        super().__init__(trace, epoch)
        self.known = traced.epochs(trace)
        if epoch not in self.known:
            raise NotHeard(
                f"No structures were recorded at epoch {epoch}, only at {listing(f'E_{e}' for e in self.known)}; dye='contrast' "
                "shows how active its units are."
            )
        self._plain = Contrast(trace, epoch)

    @cached_property
    def layers(self) -> list[str]:
        followed = set(traced.layers(self.trace))
        heard = set(active(self.trace, needed=False))
        return [name for name in self.trace.layers if name in followed | heard]

    def stands_in(self, layer: str) -> bool:
        return traced.SCORES not in self.trace.names(layer)

    def stain(self, layer: str, chosen: Sequence[int]) -> Stain:
        if self.stands_in(layer):
            return self._plain.stain(layer, chosen)
        whole = full(self._table(layer, self.known[-1]))
        return stained(self._table(layer, self.epoch), whole, chosen, mixed=len(chosen) <= MIXED)

    def table(self, layer: str) -> tuple[Floats, float]:
        if self.stands_in(layer):
            return self._plain.table(layer)
        return self._table(layer, self.epoch), full(self._table(layer, self.known[-1]))

    def laid(self, layer: str) -> tuple[NDArray[np.int64], float]:
        if self.stands_in(layer):
            return self._plain.laid(layer)
        last = self._table(layer, self.known[-1])
        return by_owner(last), full(last)

    def key(self, chosen: Sequence[int]) -> Key:
        return f"adds to many alike{self._others(chosen)}", "adds to this class: the more, the deeper", "adds to none"

    def members(self, chosen: Sequence[int]) -> Mapping[str, NDArray[np.bool_]]:
        """A unit has paths of the classes that it adds to."""
        found = {}
        for name in self.layers:
            if self.stands_in(name):
                found[name] = np.ones((self.trace.units(name), len(chosen)), bool)
            else:
                found[name] = shares(self._table(name, self.epoch))[:, list(chosen)] > 0
        return found

    def said(self, layers: Sequence[str], chosen: Sequence[int]) -> str:
        asked = traced.examples(self.trace)
        told = (
            f"Dye is what each unit adds to a class's log-odds (attribution patching on {asked}), grey what it adds to many "
            f"alike{self._others(chosen)}; each layer scaled by its last epoch"
        )
        others = [name for name in layers if self.stands_in(name)]
        if others:
            told += (
                f"; of {lettering.listed(others)} there is no attribution: there dye is activity, not proved to matter"
            )
        return told

    def _others(self, chosen: Sequence[int]) -> str:
        return ", or to other classes" if len(chosen) < len(self.trace.classes) else ""

    def _table(self, layer: str, epoch: int) -> Floats:
        return np.asarray(self.trace.read(layer, traced.SCORES, [epoch])[0], np.float64)


def dyed(trace: Trace, asked: str | None, epoch: int) -> Dye:
    """The one that was asked for; None: causal where the trace holds structures of this epoch, else contrast."""
    if asked is not None and asked not in DYES:
        raise BadValue(f"dye={asked!r}: {listing(DYES)}, or None for causal wherever structures were recorded.")
    if asked == "causal" or (asked is None and epoch in traced.epochs(trace, needed=False)):
        return Causal(trace, epoch)
    return Contrast(trace, epoch)
