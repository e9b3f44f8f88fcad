"""The steps that Keras makes of a model for `fit`, `evaluate` and `predict`: which one runs, its labels, and making it anew."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
from keras import tree
from keras.src.backend import compute_output_spec
from keras.src.backend.common.symbolic_scope import in_symbolic_scope

from nissl.adapters._keras.ears import Ears
from nissl.errors import Unsupported

if TYPE_CHECKING:
    from nissl.adapters._keras.hearing import Hearing

KINDS = ("train", "test", "predict")
RETURNING = keras.backend.backend() == "jax"
"""May a step return more than Keras asks for? Else what it tells calls out of it."""


def symbolic() -> bool:
    """Is Keras only asking for shapes, with no data in what flows?"""
    return bool(in_symbolic_scope())


@dataclass
class Step:
    training: bool
    labels: Any
    labelled: bool = False
    """Have the labels been told?"""
    inside: Any = None
    """An argument of the step, where it is traced and returns what it tells."""
    sent: list[Callable[[], None]] = field(default_factory=list)
    """What it tells and whom."""


class Returned(NamedTuple):
    """What a step returns while it is heard, so that nothing calls out of it."""

    logs: Any
    told: list[Callable[[], None]]


class Steps:
    """Wraps `train_step` and its like while somebody listens."""

    def __init__(self, model: Any, hearing: "Hearing"):
        self._model, self._hearing = model, hearing
        self._ears = Ears()
        self.now: Step | None = None
        self._arrived: deque[Callable[[], None]] = deque()
        self.shapes = compute_output_spec

    def check(self) -> None:
        """Refuse, before training and not in its middle, what cannot be heard."""
        model, on = self._model, keras.backend.backend()
        if on != "jax" and getattr(model, "compiled", False) and model.jit_compile:
            raise Unsupported(
                f"Steps that are compiled as a whole (jit_compile=True on {on}) can't be heard: say "
                "model.compile(..., jit_compile=False) before training."
            )

    def renew(self, *, worn: bool) -> None:
        """Have Keras make its compiled functions anew, since a trace keeps whoever listened when it was made."""
        self._ears.take_off()
        if not hasattr(self._model, "make_train_function"):
            return  # a layer, which has no steps
        for kind in KINDS:
            if worn:  # a new function every time: jax.jit knows a function that it has seen
                self._ears.put_on(self._model, f"{kind}_step", self._through(kind == "train"))
            if worn and RETURNING and kind == "train":
                self._ears.put_on(self._model, "_make_function", self._opening)
            if getattr(self._model, f"{kind}_function", None) is not None:
                getattr(self._model, f"make_{kind}_function")(force=True)

    def send(self, tell: Callable[..., None], leaves: Sequence[Any]) -> bool:
        """Have the step return these values, if they can get there, and `tell` called with them."""
        if self.now is None or self.now.inside is None:
            return False
        telling = self._hearing.backend.outward(tell, leaves, self.now.inside)
        self.now.sent += [] if telling is None else [telling]
        return telling is not None

    def receive(self) -> None:
        """Tell what steps have returned."""
        while self._arrived:
            self._arrived.popleft()()

    def _opening(self, _: Any, make: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Keras makes of a compiled step what it calls in `fit`: on the way there, take out what the step tells."""

        def opened(*given: Any) -> Any:
            out = step(*given)
            if not (isinstance(out, tuple) and isinstance(out[0], Returned)):
                return out
            self.receive()  # of the step before, while this one runs
            self._arrived.extend(out[0].told)
            return out[0].logs, *out[1:]

        step, *others = args
        return make(opened, *others, **kwargs)

    def _through(self, training: bool) -> Callable[..., Any]:
        def through(_: Any, step: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if training:
                self.check()
            leaves = tree.flatten((args, kwargs))
            traced = next((leaf for leaf in leaves if self._hearing.backend.traced(leaf)), None)
            now = Step(training, _labels(args[-1] if args else None), inside=traced if training and RETURNING else None)
            before, self.now = self.now, now
            try:
                if training and traced is None:  # in a traced one labels come with the values
                    self._hearing.tell_labels(now)
                out = step(*args, **kwargs)
                return (Returned(out[0], now.sent), *out[1:]) if now.sent else out
            finally:
                self.now = before

        return through


def known_inputs(model: Any) -> Any:
    """What a model takes, by shape alone: known of a graph, and of one input that a model was built with."""
    if getattr(model, "inputs", None):
        return getattr(model, "_inputs_struct", model.inputs[0])
    shapes = list((getattr(model, "_build_shapes_dict", None) or {}).values())
    if len(shapes) != 1:
        return None
    return tree.map_shape_structure(lambda shape: keras.KerasTensor(shape, model.input_dtype), shapes[0])


def _labels(data: Any) -> Any:
    """What `fit` was given as y; a model whose data is of another form has none."""
    try:
        return keras.utils.unpack_x_y_sample_weight(data)[1]
    except ValueError:
        return None
