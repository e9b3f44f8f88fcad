"""How the network's outputs compare with the labels over an epoch: confusion counts, accuracy, loss."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.task import Task
from nissl.errors import NisslWarning

PENDING = 1 << 16  # values buffered before they are judged: small batches cost little, and the work stays in the cache


@dataclass
class Predictions:
    """Buffers outputs as they come and judges them in numpy, many at a time."""

    task: Task
    to_numpy: Callable[[Any], NDArray[Any]]
    squashed: bool
    """The outputs are probabilities already (the last layer ends in a sigmoid or softmax)."""
    doubted: bool = False
    """It has been said that later labels are unlike the first."""
    confusion: NDArray[np.int64] = field(init=False)
    """(true, predicted); for multi-label (class, 2, 2)."""
    predicted: list[NDArray[np.int64]] = field(default_factory=list)
    truth: list[NDArray[np.int64]] = field(default_factory=list)
    """Of multiclass and binary labels: the class of each example, below 0 where it has none."""
    count: int = 0
    right: float = 0.0
    loss: float = 0.0
    _pending: list[tuple[Any, Any]] = field(default_factory=list)
    _size: int = 0

    def __post_init__(self) -> None:
        k = len(self.task.names)
        self.confusion = np.zeros((k, 2, 2) if self.task.kind == "multilabel" else (k, k), np.int64)

    @property
    def judged(self) -> bool:
        return self.task.kind in ("multiclass", "binary", "multilabel", "regression")

    def add(self, outputs: Any, labels: Any, size: int) -> None:
        self._pending.append((outputs, labels))
        self._size += size
        if self._size > PENDING:
            self.settle()

    def settle(self) -> "Predictions":
        """Judge what is buffered; anything array-like that has outputs and labels of one length."""
        pending, self._pending, self._size = self._pending, [], 0
        pairs = [(self.to_numpy(o), self.to_numpy(y)) for o, y in pending]
        pairs = [(o.reshape(len(o), -1), y) for o, y in pairs if o.ndim and y.ndim and len(o) == len(y)]
        if pairs and self.judged:
            self._judge(np.concatenate([o for o, _ in pairs]), np.concatenate([y for _, y in pairs]))
        return self

    def _judge(self, outputs: NDArray[np.floating], labels: NDArray[Any]) -> None:
        self.count += len(outputs)
        self._doubt(labels)
        with np.errstate(all="ignore"):  # outputs may be NaN or infinite: so is then the loss, and that is its message
            getattr(self, f"_{self.task.kind}")(outputs, labels)

    def _doubt(self, labels: NDArray[Any]) -> None:
        """The first labels decide what all mean, and may have been a few of a kind by chance: say so once."""
        unlike = self.task.unlike(labels)
        if self.doubted or not unlike.any():
            return
        self.doubted = True
        kind = "one class for each example" if self.task.one_hot else f"those of a {self.task.kind} task"
        warnings.warn(
            f"nissl: the first labels were taken for {kind}, but {unlike.sum()} of {len(unlike)} now are not, such as "
            f"{labels[unlike][0].tolist()}: what is recorded by class, accuracy and loss are wrong. Record anew with probe=(inputs, labels) "
            "whose labels show what there is, or for numbers with bins=NUMBER.",
            NisslWarning,
            stacklevel=2,
        )

    def _multiclass(self, outputs: NDArray[np.floating], labels: NDArray[Any]) -> None:
        truth = labels.argmax(1) if self.task.one_hot else labels.reshape(-1).astype(np.int64)
        guess = outputs.argmax(1)
        self.predicted.append(guess)
        self.truth.append(truth)
        if (truth < 0).any():  # such as -100, PyTorch's "no label": an example that is in no class is not judged
            outputs, guess, truth = outputs[truth >= 0], guess[truth >= 0], truth[truth >= 0]
            self.count -= len(self.predicted[-1]) - len(truth)
        k = len(self.task.names)
        known = (truth >= 0) & (truth < k) & (guess < k)
        self.confusion += np.bincount(truth[known] * k + guess[known], minlength=k * k).reshape(k, k)
        self.right += float((guess == truth).sum())
        scores = np.log(np.maximum(outputs, 1e-12)) if self.squashed and (outputs >= 0).all() else outputs
        top = scores.max(1)
        inside = truth.clip(0, outputs.shape[1] - 1)
        said = scores[np.arange(len(truth)), inside] - top
        self.loss += float((np.log(np.exp(scores - top[:, None]).sum(1)) - said).sum(dtype=np.float64))

    def _binary(self, outputs: NDArray[np.floating], labels: NDArray[Any]) -> None:
        truth, score = labels.reshape(-1).astype(np.int64), outputs.reshape(len(outputs), -1)[:, 0]
        guess = (score >= (0.5 if self.squashed else 0.0)).astype(np.int64)
        np.add.at(self.confusion, (truth.clip(0, 1), guess), 1)
        self.predicted.append(guess)
        self.truth.append(truth)
        self.right += float((guess == truth).sum())
        self.loss += float(_cross_entropy(score, truth, self.squashed).sum())

    def _multilabel(self, outputs: NDArray[np.floating], labels: NDArray[Any]) -> None:
        truth = (labels > 0.5).astype(np.int64)
        guess = (outputs >= (0.5 if self.squashed else 0.0)).astype(np.int64)
        for k in range(len(self.task.names)):
            np.add.at(self.confusion[k], (truth[:, k], guess[:, k]), 1)
        self.right += float((guess == truth).mean(1).sum())
        self.loss += float(_cross_entropy(outputs, truth, self.squashed).mean(1).sum())

    def _regression(self, outputs: NDArray[np.floating], labels: NDArray[Any]) -> None:
        wide = labels.reshape(len(labels), -1).astype(np.float64)
        if self.task.edges:
            truth, guess = (np.digitize(v[:, 0], self.task.edges) for v in (wide, outputs))
            np.add.at(self.confusion, (truth, guess), 1)
        if wide.shape == outputs.shape:
            self.loss += float(((wide - outputs) ** 2).mean(1).sum())
        else:
            self.loss = float("nan")


def _cross_entropy(score: NDArray[np.floating], truth: NDArray[np.int64], squashed: bool) -> NDArray[np.floating]:
    if squashed:
        sure = np.clip(score.astype(np.float64), 1e-12, 1 - 1e-12)  # in float32 the upper bound would be 1
        return np.asarray(-(truth * np.log(sure) + (1 - truth) * np.log1p(-sure)), np.float64)
    return np.asarray(np.maximum(score, 0) - score * truth + np.log1p(np.exp(-np.abs(score))), np.float64)
