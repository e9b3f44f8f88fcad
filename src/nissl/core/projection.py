"""`nissl.projection`: every sample as a point, near those to which a layer answers alike; at one moment or over the epochs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import preservation
from nissl.core.features import Scale
from nissl.core.frames import placed
from nissl.core.layout import Layout, layout
from nissl.core.moments import Moment, Samples, gathered
from nissl.core.nearby import beside
from nissl.core.neighbours import Preserved, anchors, preserved
from nissl.core.progress import progress as working
from nissl.core.regions import Regions, regions
from nissl.errors import BadValue, UnknownName, listing, near

Array = NDArray[Any]
NEIGHBOURS, LOOKED_AT = 15, 1000


@dataclass(frozen=True)
class Quality:
    """How far a projection is to be believed; each says how it is reckoned in `nissl.core.preservation` and `nissl.core.neighbours`."""

    frames: tuple[Preserved, ...]
    """Of each moment: trustworthiness, and the share of the 15 nearest samples that are kept."""
    boundary: float | None
    """The share of a sample's nearest boundary samples that are the nearest in the picture, on average."""
    jump: float | None
    """Over time: how far points move from one moment to the next, in units of the picture's RMS radius; the median."""
    temporal: float | None
    """Over time: do points move where their neighbourhood changes (-1), or anyhow (0)?"""

    @property
    def kept(self) -> float:
        """The mean over the moments."""
        return float(np.mean([one.kept for one in self.frames]))

    @property
    def trustworthiness(self) -> float:
        """The mean over the moments."""
        return float(np.mean([one.trustworthiness for one in self.frames]))

    def __str__(self) -> str:
        first = self.frames[0]
        said = [f"trustworthiness {self.trustworthiness:.3f}", f"{first.k} nearest kept {self.kept:.3f}"]
        for name, value in (("boundary kept", self.boundary), ("jump", self.jump), ("temporal", self.temporal)):
            said += [f"{name} {value:.3f}"] if value is not None else []
        return ", ".join(said)


@dataclass(frozen=True, eq=False)
class Frame:
    """The samples at one moment."""

    moment: Moment = field(repr=False)
    scale: Scale = field(repr=False)
    features: Array = field(repr=False)
    """(sample, feature), every feature with mean 0 and deviation 1."""
    positions: Array = field(repr=False)
    """(sample, 2)."""

    @property
    def name(self) -> str:
        return self.moment.name


@dataclass(frozen=True, eq=False)
class Projection:
    """Samples as points, at one moment or several. `positions` is the last moment's; `frames` has all."""

    samples: Samples
    frames: tuple[Frame, ...]
    how: Layout
    seed: int

    @property
    def positions(self) -> Array:
        return self.frames[-1].positions

    @property
    def features(self) -> Array:
        return self.frames[-1].features

    @property
    def labels(self) -> Array | None:
        return self.samples.labels

    @property
    def classes(self) -> tuple[str, ...]:
        return self.samples.classes

    @property
    def predicted(self) -> Array | None:
        return self.frames[-1].moment.predicted

    def __len__(self) -> int:
        return len(self.positions)

    def frame(self, name: Any = None) -> Frame:
        """By name ("epoch 3", a checkpoint's), by an epoch's number, None: the last."""
        if name is None:
            return self.frames[-1]
        for frame in self.frames:
            if name in (frame.name, frame.moment.epoch) or str(name) == frame.name.removeprefix("epoch "):
                return frame
        known = [frame.name for frame in self.frames]
        raise UnknownName(f"There is no moment {name!r}.{near(name, known)} There are: {listing(known)}.")

    @cached_property
    def quality(self) -> Quality:
        """From up to a thousand samples, drawn once for all moments; found when first asked for."""
        rows = anchors(len(self), LOOKED_AT, self.seed)
        features, positions = [f.features for f in self.frames], [f.positions for f in self.frames]
        frames = tuple(
            preserved(x, y, NEIGHBOURS, most=LOOKED_AT, seed=self.seed)
            for x, y in zip(features, positions, strict=True)
        )
        edges = [
            preservation.boundary(f.features, f.positions, f.moment.outputs, NEIGHBOURS, rows) for f in self.frames
        ]
        known = [edge for edge in edges if edge is not None]
        return Quality(
            frames,
            float(np.mean(known)) if known else None,
            preservation.jump(positions),
            preservation.temporal(features, positions, NEIGHBOURS, rows),
        )

    def regions(self, frame: Any = None, across: int = 120, box: tuple[Array, float] | None = None) -> Regions | None:
        """What the network would answer between the samples; None where it is not known what it answered to them.

        On a grid `across` cells wide over the samples, or over a `box`: its lower left corner and its side.
        """
        chosen = self.frame(frame)
        return regions(chosen.moment, chosen.features, chosen.positions, self.samples.inputs, across, box, self.seed)

    def transform(self, new: Any, frame: Any = None) -> Array:
        """Places for new samples among those that are there, which stay: (sample, 2).

        `new`: what the network takes, where the projection is a model's; else values of the layer, (sample, ...) as they were given.
        Each is placed at the mean of its 10 nearest samples' places, weighed by 1 / distance^2.
        """
        chosen = self.frame(frame)
        values = chosen.moment.hear(new) if chosen.moment.network is not None else np.asarray(new)
        return beside(chosen.features, chosen.positions, chosen.scale.of(values))

    def export(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Tensors, labels and pictures as TensorBoard's projector reads them: `tensorboard --logdir FOLDER`."""
        from nissl.core.projector import write

        return write(self, Path(folder), overwrite)

    def __repr__(self) -> str:
        where = f" of {self.samples.layer}" if self.samples.layer else ""
        when = f", {len(self.frames)} moments" if len(self.frames) > 1 else ""
        return f"<{len(self):,} samples{where} by {self.how!r}{when}>"


def projection(
    source: Any, data: Any = None, layer: str | None = None, *, by: Any = "tsne", epochs: Any = None, labels: Any = None,
    classes: Sequence[Any] | None = None, forward: bool | None = None, seed: int = 0, batch: int = 256, progress: bool = True,
    preview: Callable[[Array], None] | None = None, **options: Any,
) -> Projection:  # fmt: skip
    """Every sample as a point, near the samples to which `layer` answers alike.

    source: a model (with data=(x, y), x or a loader); several checkpoints, {name: model}, a list, or an iterator that yields them
    (also one model, its weights changed between); a trace that recorded the quantity "samples" (with `epochs`; data=(x, y), the
    probe, adds pictures); an array (sample, feature), or several of the same samples.
    layer: None: the last before the output. by: a file of nissl/layouts (tsne, pca, umap, pacmap), with its `options`.
    Over several moments every layout starts from its neighbour's, from the last moment backwards; forward: from the first on, so
    that what is drawn already stays when more come (None: while a trace is being recorded).
    preview: is told the last moment's positions as they come about.
    """
    how = layout(by, options)
    if batch < 1:
        raise BadValue(f"batch={batch}: how many samples are passed at once, a whole number from 1.")
    samples, moments = gathered(source, data, layer, epochs, labels, classes, batch)
    scales = [Scale.fitted(moment.values, moment.name) for moment in moments]
    features = [scale.of(moment.values) for scale, moment in zip(scales, moments, strict=True)]
    with working(f"placing {len(features[0]):,} samples", progress) as tell:
        onward = samples.live if forward is None else forward
        places = placed(how, features, seed, onward, tell, preview)
    frames = map(Frame, moments, scales, features, places)
    return Projection(samples, tuple(frames), how, seed)
