"""What the network looked at, at each stage: the pictures of a study, made as they are asked for."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.attributing import attribute
from nissl.core.layer import Layer
from nissl.core.network import Network
from nissl.core.pictures import images
from nissl.core.portrait import portrait
from nissl.core.projection import Projection, projection
from nissl.core.trace import Trace
from nissl.core.view import View
from nissl.errors import Unsupported
from nissl.studies._study.judging import Judged
from nissl.studies._study.judging import judged as judge
from nissl.studies.attribution import five
from nissl.studies.stages import Stages
from nissl.views.attention import Attention
from nissl.views.attributions import Attributions
from nissl.views.confusions import Confusions
from nissl.views.curves import Curves
from nissl.views.filmstrip import Filmstrip
from nissl.views.gallery import Gallery
from nissl.views.misclassified import Misclassified
from nissl.views.projected import Projected

Array = NDArray[Any]
LAYERS, PLACED, ATTENDED, MODELS = 6, 500, 3, 300
"""How many layers attention is looked at in, samples a projection has, samples attention is shown of, and portraits learn from."""
HASTY, PATIENT = 48, 160
"""Steps of a portrait."""


@dataclass(frozen=True, eq=False)
class Looking:
    """A network, its stages, the samples, and what is asked of them."""

    network: Network
    stages: Stages | None
    x: Array
    labels: Array
    classes: tuple[str, ...]
    by: str | None
    samples: int
    layers: str | Sequence[str] | None
    seed: int
    batch: int
    progress: bool
    other: Network | None = None
    """Another network of the same layers, to be compared."""
    names: tuple[str, ...] = ()

    def at(self, epoch: int | None) -> AbstractContextManager[Network]:
        """The network as it was then."""
        return (
            nullcontext(self.network) if self.stages is None or epoch is None else self.stages.at(self.network, epoch)
        )

    def pictures(self, judged: Sequence[Judged], trace: Trace, run: Trace | None) -> Iterator[tuple[str, View]]:
        if len(judged) > 1:
            yield "curves", Curves(trace if run is None else run)
        for stage in judged:
            yield f"confusion_matrix/confusion_matrix_{stage.epoch}", Confusions(trace, epochs=[stage.epoch])
        yield "projection", Projected(self.projected(judged))
        if images(self.x[:1]) is None:
            return
        for stage in judged:
            yield f"saliency/saliency_{stage.epoch}", self._panels(stage)
        if len(judged[-1].mistakes()):
            yield "misclassified", self._misclassified(judged)
        for number in self._attended(judged[-1]):
            yield f"attention/attention_{number}", self._attention(judged, int(number))
        yield from self._portraits(judged)
        if self.other is not None:
            answers = [judged[-1], judge(self.other, judged[-1].epoch, self.x, self.labels, self.batch)]
            for number in self._differing(answers):
                yield f"side_by_side/attention_{number}", self._side_by_side(answers, int(number))

    def projected(self, judged: Sequence[Judged]) -> Projection:
        """Some samples as points, at every stage."""
        few = np.sort(np.random.default_rng(self.seed).permutation(len(self.x))[:PLACED])
        moments = ((f"epoch {stage.epoch}", stage) for stage in judged)
        source = self._each(moments) if self.stages is not None else self.network
        return projection(
            source, (self.x[few], self.labels[few]), classes=self.classes, seed=self.seed, progress=self.progress
        )

    def _each(self, moments: Iterator[tuple[str, Judged]]) -> Iterator[tuple[str, Network]]:
        for name, stage in moments:
            with self.at(stage.epoch) as then:
                yield name, then

    def _panels(self, stage: Judged) -> View:
        """exigo's, of the first samples, for their true class."""
        x, truth, least = self.x[: self.samples], self.labels[: self.samples], float(self.x.min())
        with self.at(stage.epoch) as then:
            found = five(then, x, truth, baseline=least)
        title = f"Epoch {stage.epoch}, against a baseline of {least:.3g}: {next(iter(found.values())).target}"
        said = stage.predicted[: self.samples].tolist()
        return Attributions(found, x, truth.tolist(), said, self.classes, most=self.samples, title=title)

    def _misclassified(self, judged: Sequence[Judged]) -> View:
        every = judged[-1].mistakes()
        worst = every[: self.samples]
        maps, by = [], ""
        for stage in judged:
            with self.at(stage.epoch) as then:
                found = self.attributed(then, self.x[worst], self.labels[worst])
                maps.append(found.values)
                by = _method(found.by)
        told = np.stack([stage.probabilities[worst] for stage in judged])
        epochs = [stage.epoch for stage in judged]
        return Misclassified(
            worst,
            self.x[worst],
            self.labels[worst],
            told,
            np.stack(maps),
            epochs,
            self.classes,
            by,
            len(every),
            len(self.x),
        )

    def _portraits(self, judged: Sequence[Judged]) -> Iterator[tuple[str, View]]:
        """What each class wants to see, at every stage; and after the last with more patience."""
        few = np.sort(np.random.default_rng(self.seed).permutation(len(self.x))[:MODELS])
        given: dict[str, Any] = {
            "data": (self.x[few], self.labels[few]),
            "classes": self.classes,
            "seed": self.seed,
            "progress": False,
        }
        if len(judged) > 1:
            moments = {}
            for stage in judged:
                with self.at(stage.epoch) as then:
                    moments[f"epoch {stage.epoch}"] = portrait(then, steps=HASTY, **given)
            yield "portraits_over_training", Filmstrip(moments)
        with self.at(judged[-1].epoch) as then:
            yield "portraits", Gallery(portrait(then, steps=PATIENT, **given))

    def _attended(self, last: Judged) -> Array:
        """The worst mistakes, and the surest right answer."""
        surest = int(np.where(last.right, last.of_truth, -1).argmax())
        return np.array([*last.mistakes()[: ATTENDED - 1], surest])

    def _attention(self, judged: Sequence[Judged], number: int) -> View:
        """Over the stages."""
        moments = ((f"epoch {stage.epoch}", stage) for stage in judged)
        return self._attending(self._each(moments), judged, number, [f"epoch {stage.epoch}" for stage in judged])

    def _side_by_side(self, answers: Sequence[Judged], number: int) -> View:
        """Of two networks."""
        with self.at(answers[0].epoch) as then:
            both = iter([(self.names[0], then), (self.names[1], self.other)])
            return self._attending(both, answers, number, self.names)

    def _differing(self, answers: Sequence[Judged]) -> Array:
        """The samples whose truth the two found most differently likely."""
        gap = np.abs(answers[0].of_truth - answers[1].of_truth)
        return np.argsort(-gap, kind="stable")[:ATTENDED]

    def _attending(
        self, networks: Iterator[Any], judged: Sequence[Judged], number: int, columns: Sequence[str]
    ) -> View:
        layers, there = self._places()
        rows: list[list[Array]] = [[] for _ in layers]
        by = ""
        for _, then in networks:
            for row, layer in zip(rows, layers, strict=True):
                found = self.attributed(then, self.x[[number]], at=layer.name, unit="whole")
                row.append(found.values[0])
                by = _method(found.by)
        answers = [str(self.classes[one.predicted[number]]) for one in judged]
        given = [float(one.of_truth[number]) for one in judged]
        return Attention(
            self.x[number], np.array(rows), [layer.name for layer in layers], columns, answers, given,
            f"sample {number}, {self.classes[self.labels[number]]}", by, there,
        )  # fmt: skip

    def _places(self) -> tuple[list[Layer], int]:
        every = [layer for layer in self.network.layers if layer.kind in ("conv", "dense")]
        if self.layers is not None:
            return [self.network.layer(name) for name in self.network.select(self.layers)], len(every)
        spread = np.unique(np.round(np.linspace(0, len(every) - 1, min(LAYERS, len(every)))).astype(int))
        return [every[place] for place in spread], len(every)

    def attributed(self, then: Network, x: Array, target: Any = "predicted", **place: Any) -> Any:
        if self.by is not None:
            return attribute(then, x, target, self.by, batch=self.batch, **place)
        try:
            return attribute(then, x, target, "guided_backprop", batch=self.batch, **place)
        except Unsupported:  # no ReLU that could be guided
            return attribute(then, x, target, "smooth_grad", batch=self.batch, **place)


def _method(by: str) -> str:
    """GuidedBackprop(also=()) as words."""
    name = by.partition("(")[0]
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
