"""What a perceptron's labels are called, and their numbers among its `classes_`."""

from typing import Any

import numpy as np

from nissl.core.network import Array
from nissl.errors import BadValue, listing


def numbered(mlp: Any, labels: Any) -> Array:
    """Labels such as `fit` takes them, as numbers; targets, and the numbers of classes that have names, as they are."""
    labels = np.asarray(labels)
    known = getattr(mlp, "classes_", None)
    if known is None or labels.size > len(labels):  # a regressor's targets, or several labels an example
        return labels
    if known.dtype.kind in "SUO" and labels.dtype.kind in "iu":
        return labels
    flat = labels.ravel()
    foreign = flat[~np.isin(flat, known)]
    if len(foreign):
        raise BadValue(
            f"The label {foreign.tolist()[0]!r} is none of this perceptron's classes_: {listing(known.tolist())}. "
            "Give labels as fit takes them."
        )
    return np.searchsorted(known, flat)


def named(mlp: Any, classes: Any) -> Any:
    """`classes_` where none are given; the same names in another order would be those of other classes."""
    known = getattr(mlp, "classes_", None)
    if known is None:
        return classes
    names = [str(name) for name in known.tolist()]
    if classes is None:
        return names
    given = [] if isinstance(classes, int) else [str(name) for name in classes]
    if given != names and sorted(given) == sorted(names):
        raise BadValue(f"classes={given}: scikit-learn has these classes in the order {names}. Leave classes out.")
    return classes
