"""What the labels mean: how they divide the examples into classes, and how outputs are judged by them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

KINDS = ("multiclass", "binary", "multilabel", "regression", "tokens", "grouped", "unlabelled")


@dataclass(frozen=True)
class Task:
    """Decided once, from the first labels seen."""

    kind: str
    names: tuple[str, ...] = ()
    """The classes; empty where examples are not divided."""
    edges: tuple[float, ...] = ()
    """For regression: the inner edges of the bins that targets are divided into."""
    one_hot: bool = False

    @classmethod
    def of(cls, labels: Any, outputs: int | None, classes: int | Sequence[Any] | None, bins: Any = None) -> "Task":
        """`labels`: numpy, of one batch; `outputs`: how many the network has, where known."""
        if labels is None:
            return cls("unlabelled")
        labels = np.asarray(labels)
        if labels.dtype.kind not in "iubf":
            raise BadValue(
                f"Labels are numbers; these are {labels.dtype} of shape {labels.shape}. Give for each the number of its class, as "
                "the network's outputs are numbered, and the names by classes=[...]. While recording, give batches(loader, labels=FUNCTION) to say how a batch's labels are found, or labels=lambda batch: None."
            )
        names = class_names(classes)
        kind, count, one_hot = ("regression", None, False) if bins is not None else _kind(labels, outputs, len(names))
        if kind == "regression":
            if names:
                raise BadValue(
                    f"classes names {len(names)} classes, but these labels are no classes: {labels.dtype} of shape {labels.shape}. "
                    "Give batches(loader, labels=FUNCTION) that makes them whole numbers, or bins=NUMBER in place of classes."
                )
            edges = bin_edges(labels, bins)
            return cls(kind, _intervals(edges), edges)
        if kind == "tokens" and not names:
            return cls("tokens")
        count = count if count is not None else len(names)
        if not names and not count:
            raise BadValue(
                "How many classes there are cannot be told from the network's last layer: pass classes=NUMBER or classes=[names]."
            )
        if names and count and kind == "multiclass" and not one_hot and len(names) != count:
            if labels.max(initial=0) >= len(names):
                raise BadValue(f"classes names {len(names)} classes, but there are labels up to {labels.max()}.")
            return cls("grouped", names)  # an autoencoder's examples have classes, but its outputs are none
        return cls(kind, names or tuple(map(str, range(count))), one_hot=one_hot)

    def unlike(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Which examples' labels are not of the kind that the first ones were taken for, though they can be read as such."""
        wide = labels.reshape(len(labels), -1)
        if self.one_hot:
            return np.asarray(~np.isclose(wide.sum(1), 1) | (wide < 0).any(1))
        if self.kind in ("binary", "multilabel"):
            return np.asarray(~np.isin(wide, (0, 1)).all(1))
        return np.zeros(len(labels), bool)

    def groups(self, labels: Any, to_numpy: Callable[[Any], NDArray[Any]] = np.asarray) -> Any:
        """Labels as classes: integers, or a bool table for multi-label. Only calls that numpy and tensors both answer."""
        if self.kind == "unlabelled" or not self.names:
            return None
        if self.kind == "regression":
            values = to_numpy(labels).astype(np.float64)
            return np.digitize(values.reshape(len(values), -1)[:, 0], self.edges)
        if self.kind == "multilabel":
            return labels > 0.5
        if self.one_hot:
            return labels.argmax(1)
        if self.kind == "binary":
            return (labels.reshape(-1) > 0.5) * 1
        return labels.reshape(-1) if self.kind != "tokens" else labels


def class_names(classes: int | Sequence[Any] | None) -> tuple[str, ...]:
    """Names from names or from their number; none from None."""
    if classes is None:
        return ()
    if isinstance(classes, int) and not isinstance(classes, bool) and classes >= 1:
        return tuple(map(str, range(classes)))
    if isinstance(classes, Sequence | np.ndarray) and not isinstance(classes, str) and len(classes):
        names = tuple(str(name) for name in classes)
        if len(set(names)) == len(names):
            return names
    said = repr(classes)
    said = said if len(said) < 120 else f"{said[:100]} ..."
    raise BadValue(f"classes={said}: give the number of classes or a list of different names.")


def bin_edges(targets: NDArray[Any], bins: Any) -> tuple[float, ...]:
    """Inner edges: given as such, or quantiles of these targets so that `bins` bins are equally full."""
    if bins is None:
        return ()
    if isinstance(bins, int) and not isinstance(bins, bool):
        if bins < 2:
            raise BadValue(f"bins={bins}: at least 2, or a list of edges.")
        first = np.asarray(targets, np.float64).reshape(len(targets), -1)[:, 0]
        return tuple(float(edge) for edge in np.unique(np.quantile(first, np.linspace(0, 1, bins + 1)[1:-1])))
    edges = [float(edge) for edge in bins]
    if not edges or edges != sorted(set(edges)):
        raise BadValue(f"bins={bins!r}: a number of bins, or a list of rising inner edges.")
    return tuple(edges)


def _kind(labels: NDArray[Any], outputs: int | None, named: int) -> tuple[str, int | None, bool]:
    """What kind of labels these are, how many classes, and whether they are one-hot; `named`: how many have names."""
    whole = labels.dtype.kind in "iub"
    flat = labels.ndim == 1 or (labels.ndim == 2 and labels.shape[1] == 1)
    zero_one = bool(np.isin(labels, (0, 1)).all())
    if flat:
        if outputs == 1 and zero_one and named in (0, 2):
            return "binary", 2, False
        if whole and (outputs != 1 or named):
            return "multiclass", outputs, False
        return "regression", None, False
    if labels.ndim == 2 and labels.shape[1] == outputs and (zero_one or not whole):
        if bool(np.isclose(labels.sum(1), 1).all()) and bool((labels >= 0).all()):
            return "multiclass", outputs, True
        if zero_one:
            return "multilabel", outputs, False
    return ("tokens", outputs if named else None, False) if whole else ("regression", None, False)


def _intervals(edges: tuple[float, ...]) -> tuple[str, ...]:
    if not edges:
        return ()
    inner = [f"[{a:.4g}, {b:.4g})" for a, b in pairwise(edges)]
    return (f"< {edges[0]:.4g}", *inner, f">= {edges[-1]:.4g}")
