"""`Feed`: what the page reads of a trace, one small file at a time; a server, a folder and a report all hand out the same."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from nissl.core import traced
from nissl.core.trace import Trace
from nissl.errors import NisslError, UnknownKey
from nissl.studies._feed.answers import Answers
from nissl.studies._feed.attributions import Attributions
from nissl.studies._feed.beside import Beside
from nissl.studies._feed.cells import Cells
from nissl.studies._feed.changes import Changed
from nissl.studies._feed.channels import Channels
from nissl.studies._feed.driving import Driving
from nissl.studies._feed.examples import Examples
from nissl.studies._feed.graph import Graphs
from nissl.studies._feed.history import UnitHistory
from nissl.studies._feed.maps import Topographic
from nissl.studies._feed.packing import finite
from nissl.studies._feed.part import Part
from nissl.studies._feed.paths import RIBBONS, Paths
from nissl.studies._feed.plates import EveryUnit
from nissl.studies._feed.points import Points
from nissl.studies._feed.portraits import Portraits
from nissl.studies._feed.run import Run
from nissl.studies._feed.stage import Stage
from nissl.studies._feed.structures import Members
from nissl.studies._feed.thumbs import Thumbs
from nissl.studies._feed.units import Units
from nissl.studies.subject import Subject
from nissl.views._staining.responses import active, choose, source

FORMAT = 1
MOST_CLASSES = 8
PARTS: dict[str, type[Part]] = {
    "cells": Cells,
    "paths": Paths,
    "run": Run,
    "changes": Changed,
    "graph": Graphs,
    "maps": Topographic,
    "units": Units,
    "plates": EveryUnit,
    "history": UnitHistory,
    "answers": Answers,
    "points": Points,
    "thumbs": Thumbs,
    "driving": Driving,
    "attributions": Attributions,
    "examples": Examples,
    "portraits": Portraits,
    "channels": Channels,
    "structures": Members,
    "beside": Beside,
}
"""By the first word of a file's name: one file of `_feed/` a kind."""


class Feed:
    """The files of a trace's page by name; made when asked for, and the same bytes for the same trace.

    `beside`: another run's name and trace, to be compared with. `live`: whoever hands them out also tells when the trace has grown;
    `asked`: and takes questions to the network.
    """

    def __init__(
        self,
        trace: Trace,
        name: str = "run",
        network: Callable[[], Subject] | None = None,
        *,
        live: bool = False,
        asked: bool = False,
        saved: Sequence[Path] = (),
        beside: tuple[str, Trace] | None = None,
    ):
        self.trace, self.name, self.live, self.asked = trace, name, live, asked
        self.stage = Stage(trace, network, saved, beside)

    @cached_property
    def parts(self) -> dict[str, Part]:
        return {kind: part(self.stage) for kind, part in PARTS.items()}

    def names(self) -> Iterator[str]:
        """Every file, for those who need all."""
        yield "index.json"
        if not self._refused:
            for kind, part in self.parts.items():
                yield from (f"{kind}/{rest}" for rest in part.names())

    def file(self, name: str) -> bytes:
        """One of them."""
        if name == "index.json":
            return json.dumps(self.index(), allow_nan=False, separators=(",", ":")).encode()
        kind, _, rest = name.partition("/")
        if kind not in self.parts:
            raise UnknownKey(
                f"The page has no file {name!r}: there are index.json, {', '.join(f'{k}/...' for k in PARTS)}."
            )
        return self.parts[kind].file(rest)

    def index(self) -> dict[str, Any]:
        """What is known before anything is looked at; where nothing can be shown, `refused` says why."""
        trace = self.trace
        head: dict[str, Any] = {
            "format": FORMAT, "name": self.name, "run_id": trace.header.get("run_id"), "model": trace.header.get("model"),
            "closed": trace.closed, "live": self.live and not trace.closed, "epochs": trace.epochs, "classes": list(trace.classes),
            "damaged": {str(epoch): why for epoch, why in trace.damaged.items()},
            "scalars": {name: [finite(v) for v in found.values] for name, found in trace.scalars.items()},
        }  # fmt: skip
        if not trace.epochs:
            return head
        return head | ({"refused": self._refused} if self._refused else self._shown())

    @property
    def _refused(self) -> str:
        """Why nothing of this trace can be stained; empty where something can."""
        try:
            return (
                "" if not self.trace.epochs or self.stage.slides.shown else "No layer of this trace has units to stain."
            )
        except NisslError as error:
            return str(error)

    def _shown(self) -> dict[str, Any]:
        trace, slides = self.trace, self.stage.slides
        dyes: list[dict[str, Any]] = [
            {"name": "contrast", "epochs": trace.epochs, "source": source(trace, active(trace, needed=False))}
        ]
        if slides.followed:
            dyes.insert(0, {"name": "causal", "epochs": slides.followed, "source": traced.examples(trace)})
        told = {kind: part.told() for kind, part in self.parts.items()}
        return {
            "layers": slides.described,
            "ends": slides.ends,
            "every": len(slides.every),
            "dyes": dyes,
            "stains": list(choose(trace, trace.epochs[-1], MOST_CLASSES)),
            "ribbons": RIBBONS,
            "alive": self.stage.alive and self.asked,
            "parts": {kind: said for kind, said in told.items() if said is not None},
        }
