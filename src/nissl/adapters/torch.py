"""PyTorch."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, ClassVar

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from nissl.adapters._torch import parameters, processes, tying, values
from nissl.adapters._torch.atlas import Atlas, Place
from nissl.adapters._torch.changes import Replacing
from nissl.adapters._torch.compiling import Compiling
from nissl.adapters._torch.differentiating import gradients
from nissl.adapters._torch.drawing import Drawing
from nissl.adapters._torch.first import FirstPass
from nissl.adapters._torch.footing import Footing
from nissl.adapters._torch.groups import groups_of
from nissl.adapters._torch.hearing import Hearing, Watch
from nissl.adapters._torch.holding import Held
from nissl.adapters._torch.kinds import NORMALISES
from nissl.adapters._torch.outputs import Outputs
from nissl.adapters._torch.relevance import by_rule
from nissl.adapters._torch.rewriting.rewrite import rewritten
from nissl.adapters._torch.secants.frozen import frozen_norms
from nissl.adapters._torch.sensing import between, sensed
from nissl.adapters._torch.steps import Steps
from nissl.adapters._torch.still import still
from nissl.adapters._torch.sums import TorchAccumulator
from nissl.adapters._torch.wiring import early, edges
from nissl.core.capabilities import (
    Biasing,
    Differentiable,
    Editable,
    Holding,
    Pairwise,
    ParameterGradients,
    Passage,
    Rewritable,
    Rewritten,
    Ruled,
    Ruling,
    Sensitive,
    Trainable,
    Tying,
    Wired,
)
from nissl.core.layer import Layer
from nissl.core.network import Array, Network, OnValue, checked_passes, checked_place
from nissl.core.sums import Accumulator
from nissl.errors import BadValue, NisslWarning, Unsupported, listing


class Torch(
    Network, Editable, Differentiable, Sensitive, Pairwise, Ruled, Wired, Rewritable, Holding, Trainable, Tying, Biasing,
    Drawing,
):  # fmt: skip
    """Any `torch.nn.Module`; wrapped ones (DistributedDataParallel, torch.compile) by the names of the module inside."""

    framework: ClassVar[str] = "torch"

    def __init__(self, model: nn.Module, *, functional: bool = False, leaves: bool = False):
        super().__init__(model, functional=functional, leaves=leaves)
        processes.check(model)
        self._atlas = Atlas(model, leaves=leaves)
        self._compiling, self._footing = Compiling(model), Footing(self._atlas.root)
        self._atlas.by_index = self._compiling.compiled
        if functional and self._compiling.compiled:
            raise Unsupported("functional=True can't see into compiled graphs. Open the model before torch.compile.")
        self._hearing = Hearing(self._atlas, self._compiling, functional=functional)
        self._taught = False

    @classmethod
    def accepts(cls, model: Any) -> bool:
        return isinstance(model, nn.Module)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(place.layer for place in self._atlas.places)

    def _place(self, name: str) -> Place:
        layer = self.layer(name)
        return next(place for place in self._atlas.places if place.layer is layer)

    @contextmanager
    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Iterator[None]:
        self.select(layers)
        if place == "gradient" and self._compiling.compiled and not self._compiling.held:
            raise Unsupported(
                "Gradients of activations can't be heard inside compiled graphs. Record without them, or train the model as it "
                "was before torch.compile."
            )
        watch = Watch(self._compiling.outside(on_value), layers, checked_place(place), checked_passes(passes))
        with self._hearing.heard(watch, learn=not self._compiling.held):
            yield

    @contextmanager
    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> Iterator[None]:
        outputs = Outputs(self._hearing.passes, self._compiling.outside(on_value), checked_passes(passes))
        handle = self._atlas.root.register_forward_hook(outputs)
        self._compiling.open(learning=False)
        try:
            yield
        finally:
            handle.remove()
            outputs.close()
            self._compiling.close()

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        try:
            with still(self._atlas.root), self._compiling.off():
                yield
        finally:
            processes.reshard(self._atlas.root)

    def run(self, x: Any) -> Any:
        """The module inside any wrapper, so that one process may probe alone."""
        return self._footing(self._native(x))

    def _native(self, x: Any) -> Any:
        tensor = next((p for p in self._atlas.root.parameters() if p.dtype.is_floating_point), torch.empty(0))
        return values.native(x, tensor.device, tensor.dtype)

    def forward(self, x: Any) -> Array:
        with self.evaluating():
            return self.to_numpy(self.run(x)).copy()

    def weights(self, layer: str) -> dict[str, Array]:
        place = self._place(layer)
        return {} if place.enters else parameters.weights(place.module)

    def edit(self, layer: str, parameters_: Mapping[str, Array]) -> None:
        place = self._place(layer)
        if place.enters:
            raise Unsupported(
                f"{layer} is heads, which have no parameters of their own: edit the projections around them."
            )
        parameters.edit(place.module, layer, parameters_)

    def to_numpy(self, value: Any) -> Array:
        return values.to_numpy(value)

    def like(self, array: Array, value: Any) -> Any:
        return torch.as_tensor(array).to(value.device, value.dtype)

    def keep(self, value: Any) -> Any:
        tensor = values.first(value)
        return value if tensor is None else tensor.detach().clone()

    def accumulator(self, layer: Layer, *, classes: int = 0, sketch: int = 0) -> Accumulator:
        return TorchAccumulator(layer.unit_axis, layer.batch_axis, classes, sketch)

    def groups(self, labels: Any) -> Any:
        return groups_of(labels)

    @contextmanager
    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> Iterator[None]:
        place = self._place(layer)
        replacing = Replacing(place.layer, units, to)
        turn = self._hearing.next_turn()
        first = FirstPass(self._hearing, place, self.evaluating, lambda: self._hearing.add(place, replacing, turn))
        self._compiling.open(learning=False)
        try:
            yield
        finally:
            first.end()
            self._compiling.close()

    def rewritten(self, fixed: Any, turned: Any, *, shrink: bool, x: Any) -> Rewritten:
        if not self.whole:
            raise Unsupported("A model that is divided over processes can't be rewritten: load it whole on one.")
        again = partial(type(self), functional=self.functional, leaves=self.leaves)
        return rewritten(self._atlas.root, again, fixed, turned, shrink=shrink, x=x)

    def gradient(self, x: Any, target: Any, at: str | Sequence[str] = "input", of: str | None = None) -> Any:
        with self.evaluating():
            named = self._named([at] if isinstance(at, str) else at, x)
            asked = None if of is None else self._named([of], x)[of] or self._place(of)
            found = gradients(self._hearing, self.run, self._native(x), target, list(named.values()), asked)
        return found[0] if isinstance(at, str) else dict(zip(named, found, strict=True))

    def ruled(self, rule: str, **how: Any) -> AbstractContextManager[Ruling]:
        return by_rule(self._hearing, rule, **how)

    def passage(self, x: Any, slopes: Callable[[Array], Array], at: Sequence[str], *, frozen: bool = False) -> Passage:
        with self.evaluating():
            named = self._named(at, x)
            mode = frozen_norms(self._atlas.root) if frozen else nullcontext()
            return sensed(self._hearing, self.run, self._native(x), slopes, named, mode)

    def secant(self, x: Any, other: Any, slopes: Callable[[Array, Array], Array], at: Sequence[str]) -> Passage:
        with self.evaluating():
            named = self._named(at, x)
            return between(self._hearing, self.run, (self._native(x), self._native(other)), slopes, named)

    def edges(
        self, x: Any, slopes: Any, pairs: Sequence[tuple[str, str]], *, other: Any = None,
        baseline: Mapping[str, Array] | None = None,
    ) -> Mapping[tuple[str, str], Array]:  # fmt: skip
        with self.evaluating():
            self._named([name for pair in pairs for name in pair], x)
            named = {name: self._place(name) for pair in pairs for name in pair}
            targets: dict[str, Place | None] = {target: early(named[target]) for _, target in pairs}
            given, rest = self._native(x), None if other is None else self._native(other)
            if other is None:
                whole = sensed(self._hearing, self.run, given, slopes, targets, nullcontext())
            else:
                whole = between(self._hearing, self.run, (given, rest), slopes, targets)
            return edges(self._hearing, self.run, given, rest, whole.slopes, named, pairs, baseline)

    def _named(self, at: Sequence[str], x: Any) -> dict[str, Place | None]:
        """The places of these names, None for the input; `x` shows, once, where layers are heard and what feeds them."""
        known = {layer.name for layer in self.layers}
        named = {name: None if name == "input" and name not in known else self._place(name) for name in at}
        places = [place for place in named.values() if place is not None]
        unsure = any(not place.known for place in places)
        if unsure or (places and not (self._taught or self._hearing.learner.finished)):
            self.look(x)
        return named

    def look(self, x: Any) -> None:
        with self.evaluating(), torch.enable_grad(), self.watch(lambda *_: None, "*"):  # a graph shows what follows
            self.run(x)
        self._taught = True

    @contextmanager
    def watch_parameter_gradients(
        self, layers: Sequence[str], every: int = 1
    ) -> Iterator[Callable[[], dict[str, ParameterGradients]]]:
        if every < 1:
            raise BadValue(f"every={every}: 1 means each step.")
        processes.reshard(self._atlas.root)
        places = [self._place(name) for name in layers]
        steps = Steps({place.name: place.module for place in places if not place.enters}, every)
        if steps.left:
            what = f"no parameters' gradients of {listing(steps.left)}: they are divided over processes within units"
            warnings.warn(f"nissl: {what}", NisslWarning, stacklevel=4)
        handle = register_optimizer_step_pre_hook(steps)
        try:
            yield steps.read
        finally:
            handle.remove()

    def state(self, *, trained: bool = False) -> dict[str, Array]:
        return tying.state(self._atlas.root, trained=trained)

    def restore(self, state: Mapping[str, Array]) -> None:
        tying.restore(self._atlas.root, state)

    def tied(self, ties: Mapping[str, Array]) -> AbstractContextManager[None]:
        return tying.tied(self._atlas.root, ties)

    def weight_cost(self, cost: Callable[[Any], Any], layers: Sequence[str]) -> Any:
        found = [parameters.incoming(self._place(name).module, name) for name in layers]
        return sum((cost(weight).sum() for weight in found), torch.zeros(()))

    @contextmanager
    def hold(self, units: Mapping[str, Sequence[int]]) -> Iterator[None]:
        places = {self._place(name): chosen for name, chosen in units.items()}
        held = Held(places, (module for module, role in self._atlas.roles.items() if role == NORMALISES))
        with ExitStack() as stack:
            if any(not place.known for place in places):  # the first pass shows whether a norm follows
                stack.enter_context(self.watch(lambda *_: None, list(units)))
            stack.callback(register_optimizer_step_pre_hook(held.before).remove)
            stack.callback(register_optimizer_step_post_hook(held.after).remove)
            yield

    @property
    def process(self) -> tuple[int, int]:
        return processes.process(self.model)

    @property
    def whole(self) -> bool:
        return processes.whole(self._atlas.root)

    def from_first(self, message: str) -> str:
        return processes.from_first(self.model, message)

    def unheard_reason(self) -> str:
        return (
            "Does the loop call this model, in training mode with gradients on, inside the recorder's `with`? A function "
            "around the model that was compiled before keeps its old graph: open the model before torch.compile's first "
            "call, and probe it once. Code that goes around a module (its weight used directly), and passes inside torch.func's "
            "transforms (vmap, grad), can't be heard either."
        )
