"""`nissl.study`: a network looked at as it was at several stages of its training: how right, misled by what, and looking where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.network import network
from nissl.core.pool import Pool
from nissl.core.progress import progress as shown
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.core.view import View
from nissl.errors import BadValue, listing
from nissl.studies._study.export import export
from nissl.studies._study.judging import Judged, judged, traced
from nissl.studies._study.looking import Looking
from nissl.studies.checkpoints import Checkpoints
from nissl.studies.stages import Stages
from nissl.studies.subject import few, subject

Array = NDArray[Any]
MOST = 6
"""So many stages are looked at where nobody says which."""


@dataclass(frozen=True, eq=False)
class Study:
    """What `study` found. `pictures` are made one at a time, as they are asked for."""

    judged: tuple[Judged, ...]
    """How right the network was, stage by stage."""
    trace: Trace
    """The same as a trace in memory: loss, accuracy, confusion."""
    looking: Looking
    run: Trace | None = None
    """What the training recorded, where that is known."""

    @property
    def classes(self) -> tuple[str, ...]:
        return self.looking.classes

    @property
    def epochs(self) -> tuple[int, ...]:
        return tuple(stage.epoch for stage in self.judged)

    def mistakes(self) -> Array:
        """Which samples are taken for something else after the last stage, the worst first."""
        return self.judged[-1].mistakes()

    @property
    def expected(self) -> int:
        """About how many pictures there will be."""
        return 3 * len(self.judged) + 6

    def pictures(self) -> Iterator[tuple[str, View]]:
        """(file name without its ending, view): confusion_matrix, saliency, projection, misclassified, attention, portraits."""
        yield from self.looking.pictures(self.judged, self.trace, self.run)

    def to_tensorboard(self, folder: str | Path) -> Path:
        """Losses, accuracies, confusion, mistakes and what was looked at in them, the graph, and the projector's files."""
        return export(Path(folder), self.judged, self.looking, self.run)

    def __repr__(self) -> str:
        first, last = self.judged[0], self.judged[-1]
        return f"<Study of {len(self.judged)} stages, epochs {listing(self.epochs)}: accuracy {first.accuracy:.3f} to {last.accuracy:.3f}>"


def study(
    model: Any, data: Any, stages: Stages | str | Path | None = None, *, epochs: Sequence[int] | None = None, classes: Any = None,
    by: str | None = None, samples: int = 10, layers: str | Sequence[str] | None = None, seed: int = 0, batch: int = 256,
    against: Any = None, names: Sequence[str] = ("this network", "the other"), now: int = 0, progress: bool = True,
) -> Study:  # fmt: skip
    """How a network came to answer as it does, on examples it did not learn from; the model is afterwards as it was.

    `data`: (x, y) or a loader, to judge by. `stages`: what was kept of the training, `Stages` or their folder; None: as the
    model is now, such as from a checkpoint. `epochs`: which of them; None: up to 6, the first and the last among them. `by`:
    the method of attribution; None: guided backpropagation, or where there is no ReLU to guide, smoothed gradients.
    `samples`: how many are shown in each picture. `layers`: where attention is looked at; None: spread over all. `against`:
    another network of the same layers, such as one that was trained anew; what both attend to is then shown side by side, under
    these `names`, for the samples on which they differ most. `now`: which epoch it is, of a model that has no stages.
    """
    if samples < 1:
        raise BadValue(f"samples={samples}: how many are shown in each picture, a whole number from 1.")
    kept = Stages(stages) if isinstance(stages, str | Path) else stages
    net = network(model)
    pool = Pool(net, data, batch, classes)
    if pool.groups is None:
        raise BadValue("A study judges by labels, a class for each example: give (x, y), or a loader of such batches.")
    net.look(pool.take(np.arange(min(2, pool.count))))
    other = None if against is None else network(against)
    looking = Looking(
        net, kept, pool.x, pool.groups, tuple(pool.task.names), by, samples, layers, seed, batch, progress, other, tuple(names)
    )  # fmt: skip
    wanted = _chosen(kept, epochs)
    found = []
    with shown("judging each stage", progress) as tick:
        for number, epoch in enumerate(wanted, 1):
            with looking.at(epoch) as then:
                found.append(judged(then, now if epoch is None else epoch, pool.x, pool.groups, batch))
            tick(number / len(wanted))
    return Study(tuple(found), traced(found, looking.classes, type(net.model).__name__), looking)


def _chosen(kept: Stages | None, epochs: Sequence[int] | None) -> Sequence[int | None]:
    if kept is None:
        if epochs is not None:
            raise BadValue(f"epochs={list(epochs)}: of a model as it is now there is one moment; give stages=.")
        return [None]
    there = kept.epochs
    if not there:
        raise BadValue(f"{kept.folder} holds no stages: train with keep='improvements', or keep them with Stages.keep.")
    if epochs is not None:
        missing = [epoch for epoch in epochs if epoch not in there]
        if missing or not len(epochs):
            raise BadValue(f"epochs={list(epochs)}: stages were kept of epochs {listing(there)}.")
        return sorted(set(epochs))
    places = np.unique(np.round(np.linspace(0, len(there) - 1, min(MOST, len(there)))).astype(int))
    return [int(there[place]) for place in places]


def of(
    where: str, data: str | None = None, stages: Path | None = None, *, against: str | None = None, limit: int = 10_000,
    **options: Any,
) -> Study:  # fmt: skip
    """A study of a run of `nissl train` with what it kept, or of a model by name (see `nissl.studies.subject`)."""
    seen = subject(where, data, limit)
    if against is not None:
        options |= {"against": subject(against, data, limit).model, "names": (where, against)}
    if stages is None and ":" not in where:
        kept = Checkpoints(where).stages
        stages = kept.folder if len(kept) else None
    judged_by = seen.held_out if seen.held_out is not None else seen.discovery
    run = None if ":" in where else opened(where)
    found = study(
        seen.model, few(judged_by, limit), stages, classes=seen.classes or None, now=_best(run) if run else 0, **options
    )  # fmt: skip
    return replace(found, run=run)


def _best(run: Trace) -> int:
    """The epoch of the best weights, as far as the trace tells."""
    losses = {entry.epoch: entry.scalars.get("probe_loss", np.nan) for entry in run.entries}
    known = [epoch for epoch, loss in losses.items() if np.isfinite(loss)]
    return min(known, key=losses.__getitem__, default=0)
