"""A small training by scikit-learn, which has neither callbacks nor checkpoints: a subclass stands in for the user's own."""

import pickle
import warnings
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from sklearn.neural_network import MLPClassifier

from nissl.callbacks.sklearn import Sklearn

numbers = ("loss",)
X = np.random.default_rng(0).normal(size=(48, 5)).astype(np.float32)
Y = np.arange(48) % 3


def probe():
    return X[:20], Y[:20]


@dataclass
class Stopping:
    after: int


@dataclass
class Failing:
    epoch: int
    error: BaseException


class Perceptron(MLPClassifier):
    """Saves itself after every epoch, and fails where it is asked to."""

    def fail(self, failing, folder):
        self.failing_, self.folder_, self.steps_ = failing, folder, 0
        return self

    def _backprop(self, *args, **options):
        self.steps_ += 1
        if self.failing_ is not None and self.steps_ == (self.failing_.epoch - 1) * 6 + 3:
            raise self.failing_.error
        return super()._backprop(*args, **options)

    def _update_no_improvement_count(self, *args, **options):
        super()._update_no_improvement_count(*args, **options)
        self.folder_.mkdir(exist_ok=True)
        state = {name: value for name, value in vars(self).items() if name.endswith("_") or name in self.get_params()}
        state |= {name: vars(self)[name] for name in ("_random_state", "_label_binarizer", "_optimizer")}
        state |= {"_no_improvement_count": 0, "failing_": None}
        (self.folder_ / "last.pickle").write_bytes(pickle.dumps(state))


def fit(callbacks, epochs, folder, *, resume=False):
    failing = next((one for one in callbacks if isinstance(one, Failing)), None)
    epochs = min([epochs, *(one.after for one in callbacks if isinstance(one, Stopping))])
    mlp = Perceptron((8,), batch_size=8, random_state=0, max_iter=epochs, n_iter_no_change=100)
    if resume:
        vars(mlp).update(pickle.loads((folder / "last.pickle").read_bytes()))
        mlp.set_params(warm_start=True, max_iter=epochs - len(mlp.loss_curve_))
    mlp.fail(failing, folder)
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="sklearn")
        for callback in callbacks:
            if isinstance(callback, Sklearn):
                stack.enter_context(callback.hearing(mlp))
        mlp.fit(X, Y)
    if failing is not None and isinstance(failing.error, KeyboardInterrupt):
        raise failing.error  # scikit-learn has swallowed it
    named = {"coefs": mlp.coefs_, "intercepts": mlp.intercepts_}
    return {f"{name}.{number}": array for name, arrays in named.items() for number, array in enumerate(arrays)}


stopping, failing = Stopping, Failing
