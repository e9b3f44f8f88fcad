"""All that is heard for a recording: the training steps' taps, the probe, the parameters; and what they add up to."""

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from nissl.core.capabilities import Differentiable, Labelling, ParameterGradients, Trainable
from nissl.core.following import Following
from nissl.core.listening import Listening, sampled
from nissl.core.network import Network, examples
from nissl.core.plan import PROBE, PROBED, suits
from nissl.core.predictions import Predictions
from nissl.core.probe import Probe
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.ranks import Ranks
from nissl.core.settings import Settings
from nissl.core.task import Task
from nissl.errors import NisslWarning, Unsupported, listing

Found = dict[str | None, dict[str, Array]]
"""Arrays by name by layer; None is the whole network."""
TAPPED = ("activation", "preactivation", "gradient")


class Hearing:
    """Opened with the recorder; `read` gives what an epoch left behind and starts the next one."""

    def __init__(
        self, network: Network, layers: list[str], quantities: tuple[Quantity, ...], probe: Probe | None, ranks: Ranks
    ):
        self.network, self.layers, self.quantities, self.probe = network, layers, quantities, probe
        self.ranks = ranks
        self.task: Task | None = None
        self.places = [place for place in TAPPED if any(q.needs == place for q in quantities)]
        self.taps = {place: self._listening(place) for place in self.places if network.steps_heard}
        self.predictions: Predictions | None = None
        self.following = next(
            (Following(network, layers, probe, q) for q in quantities if q.needs == "attribution"), None
        )
        self._gradients: Callable[[], dict[str, ParameterGradients]] | None = None
        self._before: dict[str, dict[str, Array]] = {}
        self._labels: Any = None
        self._active = False
        self.shapes: dict[str, tuple[int, ...]] = {}
        """Of one unit's value for one example, where a probe has shown it."""
        self.per_example: float | None = None
        """Seconds that hearing one example costs, where a probe has shown it."""
        self._examples = 0

    def _listening(self, place: str) -> Listening:
        of = [q for q in self.quantities if q.needs == place]
        classes = len(self.task.names) if self.task and any(q.classes for q in of) else 0
        return Listening(self.network, place, classes=classes, sketch=max((q.sketch for q in of), default=0))

    def needs(self, need: str) -> bool:
        return any(q.needs == need for q in self.quantities)

    def open(self, stack: ExitStack) -> None:
        """Start to hear; everything ends with the stack."""
        for place, tap in self.taps.items():
            stack.enter_context(self.network.tap(tap.hear, self.layers, place=place, passes="training"))
        if self.needs("outputs") and self.network.steps_heard:
            stack.enter_context(self.network.watch_outputs(self._output, passes="training"))
        for quantity in self.quantities:
            if quantity.needs == "parameter_gradients" and self.ranks.looks:
                every = getattr(quantity, "every", 1)
                self._gradients = stack.enter_context(self.network.watch_parameter_gradients(self.layers, every))  # type: ignore[attr-defined]
        if self.needs("parameters") and self.ranks.looks:
            self._before = self._parameters()
        if isinstance(self.network, Labelling) and self.network.steps_heard:
            stack.enter_context(self.network.watch_labels(self._relabel))

    def decide(self, task: Task) -> None:
        """Now it is known what labels mean; before anything is folded."""
        self.task = task
        for tap in self.taps.values():
            tap.classes = self._listening(tap.place).classes
        self.predictions = self._judge()
        if self.following is not None and self.ranks.first:
            self.following.decide(task)

    def listen(self, active: bool, labels: Any = None) -> None:
        """From here on values count (or don't), and belong to these labels."""
        self.network.settle()
        groups = None
        self._examples += _count(labels) if active else 0
        if active and labels is not None and self.task and any(tap.classes for tap in self.taps.values()):
            labels, groups = self._grouped(labels)
        self._active, self._labels = active, labels
        for tap in self.taps.values():
            tap.active, tap.groups = active, groups if tap.classes else None

    def _relabel(self, labels: Any) -> None:
        """What the framework shows goes before what the loader gave: it may have shuffled or divided that."""
        if self._active and labels is not None and self.task:
            self._labels, groups = self._grouped(labels)
            for tap in self.taps.values():
                tap.groups = groups if tap.classes else None

    def _grouped(self, labels: Any) -> tuple[Any, Any]:
        """A step's labels and classes; labels unlike the first ones leave that step without them, never without the user's loop."""
        assert self.task is not None
        try:
            labels = labels if hasattr(labels, "reshape") else np.asarray(labels)
            found = self.task.groups(labels, self.network.to_numpy)
            return labels, None if found is None else self.network.groups(found)
        except Exception as error:  # noqa: BLE001 - the user's step must go on
            what = f"labels that cannot be read as {self.task.kind} are left out: {type(error).__name__}: {error}"
            warnings.warn(f"nissl: {what}", NisslWarning, stacklevel=4)
            return None, None

    def _output(self, name: str, value: Any) -> None:
        if self._active and self._labels is not None and self.predictions is not None and self.predictions.judged:
            kept = self.network.keep(value)
            self.predictions.add(kept, self._labels, prod(kept.shape))

    def _judge(self) -> Predictions | None:
        if self.task is None:
            return None
        last = self.network.layers[-1] if self.network.layers else None
        ending = f"{last.nonlinearity} {last.remark}".lower() if last else ""
        squashed = ("sigmoid" in ending or "softmax" in ending) and "logsoftmax" not in ending.replace("_", "")
        doubted = self.predictions is not None and self.predictions.doubted
        return Predictions(self.task, self.network.to_numpy, squashed, doubted)

    def _parameters(self) -> dict[str, dict[str, Array]]:
        """Of the first process; where each has but a part of them, the others help it to read them."""
        found: dict[str, dict[str, Array]] = {}
        for name in self.layers:
            values = self.network.weights(name)
            found |= {name: values} if self.ranks.first else {}
        return found

    @property
    def followed(self) -> tuple[str, ...]:
        """Layers whose units are followed as members of structures."""
        return self.following.names if self.following is not None else ()

    @property
    def seconds(self) -> float:
        return sum(tap.seconds for tap in self.taps.values())

    @property
    def anything(self) -> bool:
        """Was anything heard since the last reading?"""
        return not self.taps or any(tap.heard or tap.batches for tap in self.taps.values())

    def read(self, context: Context, *, trained: bool = True) -> tuple[Found, dict[str, float]]:
        """Everything since the last reading; `trained` False leaves the training steps out (epoch 0)."""
        self.network.settle()
        found: Found = {None: {}}
        scalars: dict[str, float] = {}
        heards = self._heards(context, trained)
        for quantity in self.quantities:
            for name, heard in heards.get(quantity.needs, {}).items():
                layer = self.network.layer(name) if name is not None else None
                if suits(quantity, layer):
                    found.setdefault(name, {}).update(quantity.read(heard))
                    scalars |= quantity.scalars(heard) if layer is None else {}
        if self.probe is not None and self.ranks.looks:
            probed: Found = found if self.ranks.first else {}  # what all have run together counts once
            self._probe(replace(context, probing=True), probed, scalars if self.ranks.first else {})
        return found, scalars

    def examples_since(self) -> int:
        """How many examples the training steps have had since this was last asked, as far as labels tell."""
        count, self._examples = self._examples, 0
        return count

    def _heards(self, context: Context, trained: bool) -> dict[str, dict[str | None, Heard]]:
        heards: dict[str, dict[str | None, Heard]] = {}
        for place, tap in self.taps.items():
            heards[place] = {name: Heard(context, sums=sums) for name, sums in tap.read().items()}
        if self.predictions is not None and trained and self.network.steps_heard:
            heards["outputs"] = {None: Heard(context, predictions=self.predictions.settle())}
            self.predictions = self._judge()
        if self._gradients is not None:
            gradients = self._gradients()
            seen = gradients if self.ranks.first else {}
            heards["parameter_gradients"] = {n: Heard(context, gradients=g) for n, g in seen.items()}
        if self.following is not None and self.ranks.first:
            heards["attribution"] = self.following.heard(context)
        if self.needs("parameters") and self.ranks.looks:
            now = self._parameters()
            before = self._before if trained else {}
            heards["parameters"] = {n: Heard(context, parameters=p, before=before.get(n)) for n, p in now.items() if p}
            self._before = now
        return heards

    def _probe(self, context: Context, found: Found, scalars: dict[str, float]) -> None:
        heards = self.hear_probe(context)
        for quantity in self.quantities:
            if quantity.needs not in (*PROBED, "samples"):
                continue
            prefix = PROBE if quantity.needs in PROBED else ""
            for name, heard in heards.get(quantity.needs, {}).items():
                layer = self.network.layer(name) if name is not None else None
                if suits(quantity, layer):
                    arrays = quantity.read(heard)
                    found.setdefault(name, {}).update({prefix + key: value for key, value in arrays.items()})
                    numbers = quantity.scalars(heard) if layer is None else {}
                    scalars |= {prefix + key: value for key, value in numbers.items()}

    def hear_probe(self, context: Context) -> dict[str, dict[str | None, Heard]]:
        """One pass over the probe in evaluation mode."""
        taps = {place: self._listening(place) for place in PROBED if place in self.places}
        judged, kept = self._judge(), {}  # type: Predictions | None, dict[str, list[Array]]
        with self.network.evaluating(), ExitStack() as stack:
            for place, tap in taps.items():
                stack.enter_context(self.network.tap(tap.hear, self.layers, place=place))
                tap.active = True
            if self.needs("samples"):
                stack.enter_context(self.network.watch(lambda n, v: self._sample(kept, n, v), self.layers))
            for x, y in self.probe or ():
                groups = self.task.groups(y, self.network.to_numpy) if self.task and y is not None else None
                for tap in taps.values():
                    tap.groups = self.network.groups(groups) if groups is not None and tap.classes else None
                out = self.network.run(x)
                self.network.settle()
                if judged is not None and judged.judged and y is not None:
                    judged.add(out, y, 0)
        heards: dict[str, dict[str | None, Heard]] = {
            place: {name: Heard(context, sums=sums) for name, sums in tap.read().items()} for place, tap in taps.items()
        }
        if judged is not None:
            heards["outputs"] = {None: Heard(context, predictions=judged.settle())}
        heards["samples"] = {n: Heard(context, samples=np.concatenate(parts)) for n, parts in kept.items()}
        return heards

    def rehearse(self) -> None:
        """Show the probe's first batch to the network before anything counts: what shapes come, and what hearing them costs."""
        if self.probe is None or not self.ranks.looks:
            return
        x, _ = next(iter(self.probe))
        shapes: dict[str, list[Array]] = {}
        tap = self._listening("activation")
        with self.network.evaluating(), self.network.tap(tap.hear, self.layers), ExitStack() as stack:
            for active in (False, True, True):  # the last time nothing is new
                tap.active, tap.seconds = active, 0.0
                if active is False:
                    stack.enter_context(self.network.watch(lambda n, v: self._sample(shapes, n, v), self.layers))
                self.network.run(x)
                self.network.settle()
                stack.close()
        self.shapes = {name: seen[0].shape[2:] for name, seen in shapes.items()}
        self.per_example = tap.seconds / examples(x)

    def _sample(self, kept: dict[str, list[Array]], name: str, value: Any) -> None:
        kept.setdefault(name, []).append(sampled(self.network, self.network.layer(name), value))


def fitting(settings: Settings, network: Network) -> tuple[Quantity, ...]:
    """The quantities that this framework can give; one that was asked for by name and cannot be given is an error."""
    able = {"gradient": Differentiable, "parameter_gradients": Trainable, "attribution": Differentiable}
    lost = [q for q in settings.recorded if q.needs in able and not isinstance(network, able[q.needs])]
    if lost and settings.quantities is not None:
        raise Unsupported(
            f"{listing(lost)}: a {network.framework} network gives no such gradients. Leave it out of quantities."
        )
    return tuple(q for q in settings.recorded if q not in lost)


def _count(labels: Any) -> int:
    try:
        return len(labels)
    except TypeError:  # None, or a single number
        return 0
