"""`portrait`: what a network by name wants to see, as it is or as it was at several stages of its training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nissl.core.portrait import portrait as drawn
from nissl.core.portraits import Portraits
from nissl.core.view import View
from nissl.errors import BadValue, UnknownName
from nissl.studies.checkpoints import Checkpoints
from nissl.studies.stages import Stages
from nissl.studies.subject import Subject, few, named, subject
from nissl.views.filmstrip import Filmstrip
from nissl.views.gallery import Gallery

LIMIT = 2000
"""Real inputs that are looked at."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Portraits; of several stages by name, the last of them being `last`."""

    last: Portraits
    stages: Mapping[str, Portraits] = field(default_factory=dict)

    @property
    def view(self) -> View:
        """A film strip of stages, or a gallery."""
        return Filmstrip(self.stages) if self.stages else Gallery(self.last)


def portrait(
    where: str, target: Any = None, *, unit: Sequence[str] | None = None, data: str | None = None,
    input_shape: Sequence[int] | None = None, epochs: Sequence[int] | None = None, stages: Path | None = None,
    judge: str | None = None, **options: Any,
) -> Drawn:  # fmt: skip
    """`where`, `data`: see `nissl.studies.subject`; a model without data takes `input_shape`, of one input.

    `unit`: layer/7 (several of one layer), or a layer for all of its units, in place of targets. `epochs`: stages that a run kept,
    or those of the folder `stages`. The rest is `nissl.portrait`'s.
    """
    seen = _subject(where, data, input_shape)
    kept = Stages(stages) if stages is not None else None if ":" in where else Checkpoints(where).stages
    given: dict[str, Any] = {"classes": seen.classes or None, **options}
    if seen.discovery is None:
        given["shape"] = input_shape
    else:
        given["data"] = few(seen.held_out if seen.held_out is not None else seen.discovery, LIMIT)
    if unit:
        if target is not None:
            raise BadValue("target is of the outputs, and unit of a layer: give one of the two.")
        given["of"], target = _units(unit)
    if judge is not None:
        given["judge"] = _subject(judge, data, input_shape).model
    if epochs is None:
        return Drawn(drawn(seen.model, target, **given))
    if kept is None or not len(kept):
        raise BadValue(
            f"{where} kept no stages of its training: train with --keep, or name their folder (nissl.Stages) by --stages."
        )
    film = {name: drawn(then, target, **given) for name, then in kept.each(seen.model, epochs)}
    return Drawn(next(reversed(film.values())), film)


def _subject(where: str, data: str | None, input_shape: Sequence[int] | None) -> Subject:
    if input_shape is None:
        return subject(where, data, LIMIT)
    if data is not None:
        raise BadValue("Inputs are given by data or by input_shape, not by both.")
    if ":" not in where:
        raise BadValue(f"{where} is a run, which knows its data: leave input_shape out.")
    return Subject(where, named(where), None, None, ())


def _units(said: Sequence[str]) -> tuple[str, list[int] | None]:
    """The layer and the numbers of its units; None: all."""
    parts = [one.rpartition("/") for one in said]
    if len(said) == 1 and not (parts[0][0] and _number(parts[0][2])):
        return said[0], None
    layers = {layer for layer, _, _ in parts if layer}  # of conv1/7,9 too
    if len(layers) != 1 or not parts[0][0] or not all(_number(number) for _, _, number in parts):
        raise UnknownName(
            f"unit={','.join(said)}: write LAYER/7, several units of one layer as LAYER/0,3,7, or LAYER for all of them."
        )
    return layers.pop(), [int(number.removeprefix("n_")) for _, _, number in parts]


def _number(word: str) -> bool:
    return word.removeprefix("n_").isdigit()
