"""scikit-learn, which has no callbacks: `with nissl.callbacks.Sklearn("runs/a").hearing(mlp): mlp.fit(x, y)`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

from nissl.core.loop import Loop
from nissl.errors import Unsupported

FIT, EPOCH = "_fit_stochastic", "_update_no_improvement_count"


class Sklearn(Loop):
    """Records whatever `fit` and `partial_fit` do to a perceptron, or to a pipeline that ends in one; options as for `nissl.record`.

    Each pass over the data is an epoch; a model that was trained before goes on where it stopped. Labels come by
    themselves, and so do the names of the classes: those in `classes_`. The probe's labels are such as `fit` takes.
    """

    @contextmanager
    def hearing(self, model: Any) -> Iterator[Self]:
        """While open, this model's training is recorded; it need not be fitted yet."""
        mlp = model.steps[-1][1] if hasattr(model, "steps") else model
        if not (hasattr(mlp, FIT) and hasattr(mlp, EPOCH)):
            raise Unsupported(
                f"{type(mlp).__name__} is no multi-layer perceptron as scikit-learn 1.5 to 1.9 train them. Pass an "
                "MLPClassifier, an MLPRegressor, or a pipeline that ends in one."
            )
        if mlp.solver == "lbfgs":
            raise Unsupported("solver='lbfgs' trains without epochs: choose adam or sgd, or record the fitted network.")
        training = _Training(self, model, mlp)
        mlp.__dict__.update({FIT: training.fit, EPOCH: training.epoch_over})
        try:
            with training.stack:
                yield self
        except BaseException as error:
            self.stop(error)
            raise
        finally:
            for name in (FIT, EPOCH):
                del mlp.__dict__[name]
            self.stop()


class _Training:
    """The epochs and steps inside `fit`, by the private methods in which they begin and end."""

    def __init__(self, loop: Sklearn, model: Any, mlp: Any):
        self.loop, self.model, self.mlp = loop, model, mlp
        self.stack = ExitStack()
        self._fit, self._count = getattr(mlp, FIT), getattr(mlp, EPOCH)
        self._begun = False  # an epoch that is not over

    def fit(self, *args: Any, **options: Any) -> None:
        """The first weights are there now, so that there is a network to record."""
        if not self.loop.recording:
            incremental = options.get("incremental", args[-1] if args else False)
            done = len(self.mlp.loss_curve_)
            recorder = self.loop.start(self.model, done, None if incremental else done + self.mlp.max_iter)
            self.stack.enter_context(recorder.network.watch_labels(self._step))  # type: ignore[attr-defined]
        self._fit(*args, **options)
        if self._begun:
            self.loop.stop(KeyboardInterrupt("scikit-learn was interrupted in the middle of an epoch"))

    def _step(self, labels: Any) -> None:
        if not self._begun:
            self._begun = True
            self.loop.begin_epoch(len(self.mlp.loss_curve_) + 1)
        self.loop.step(labels)

    def epoch_over(self, *args: Any, **options: Any) -> None:
        self.loop.pause()
        self._count(*args, **options)
        scores = getattr(self.mlp, "validation_scores_", None)
        self._begun = False
        self.loop.end_epoch({"loss": self.mlp.loss_} | ({"validation_score": scores[-1]} if scores else {}))
