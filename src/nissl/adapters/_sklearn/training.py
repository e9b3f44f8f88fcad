"""The steps that scikit-learn takes inside `fit` and `partial_fit`, heard through two methods of the one estimator."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.errors import Unsupported

STEP, PREDICT = "_backprop", "_forward_pass_fast"
ARGUMENTS = {"y", "activations", "deltas"}


@dataclass(frozen=True)
class Step:
    """What one training step computed, in scikit-learn's own arrays."""

    activations: list[Any]
    """The inputs, then what each layer put out."""
    deltas: list[Any]
    """The gradients of the examples' summed losses before each nonlinearity."""
    weight: float
    """What the losses' sum is divided by."""


@contextmanager
def heard(
    mlp: Any, labels: Callable[[Any], None], step: Callable[[Step], None], predict: Callable[[Any], Any]
) -> Iterator[None]:
    """While open, this estimator's training steps tell their labels and then their values, and its predictions are `predict`'s."""
    backprop, fast = (getattr(mlp, name, None) for name in (STEP, PREDICT))
    kinds = [kind for kind in type(mlp).__mro__ if kind.__module__.startswith("sklearn.") and STEP in vars(kind)]
    known = inspect.signature(vars(kinds[0])[STEP]) if kinds else inspect.Signature()  # a subclass may hand on *args
    if backprop is None or fast is None or not set(known.parameters) >= ARGUMENTS:
        from sklearn import __version__

        raise Unsupported(
            f"scikit-learn {__version__} trains its perceptrons in another way than versions 1.5 to 1.9, which were tested: "
            "the steps inside fit can't be heard. Record the layers with a probe after each partial_fit instead."
        )

    def stepping(*args: Any, **options: Any) -> Any:
        given = known.bind(mlp, *args, **options).arguments
        labels(understood(mlp, given["y"]))
        result = backprop(*args, **options)
        weights = given.get("sample_weight")
        weight = len(given["y"]) if weights is None else float(np.sum(weights))
        step(Step(given["activations"], given["deltas"], weight))
        return result

    def predicting(x: Any, check_input: bool = True) -> Any:
        if check_input:
            fast(x[:1])  # scikit-learn's own checks of type, width and feature names
        return predict(x)

    before = {name: mlp.__dict__[name] for name in (STEP, PREDICT) if name in mlp.__dict__}
    mlp.__dict__.update({STEP: stepping, PREDICT: predicting})
    try:
        yield
    finally:
        for name in (STEP, PREDICT):
            del mlp.__dict__[name]
        mlp.__dict__.update(before)


def understood(mlp: Any, y: Any) -> Any:
    """A step's targets as labels: the number of the class among `classes_`, bools for several labels, or targets as they are."""
    y = np.asarray(y)
    if mlp.out_activation_ == "softmax":
        return y.argmax(1)
    if getattr(mlp, "classes_", None) is not None:
        return y[:, 0].astype(np.int64) if y.shape[1] == 1 else y
    return y
