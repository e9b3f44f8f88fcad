"""Values of whichever back end Keras runs on: taken out of what a layer returns, put back, and read."""

from typing import Any

import keras
import numpy as np
from keras import ops, tree
from numpy.typing import NDArray

from nissl.adapters._keras.backends import backend


def first(value: Any) -> Any:
    """The first tensor of a structure, None where there is none."""
    return next((leaf for leaf in tree.flatten(value) if is_tensor(leaf)), None)


def is_tensor(value: Any) -> bool:
    return bool(ops.is_tensor(value)) and not isinstance(value, keras.KerasTensor)


def replaced(value: Any, old: Any, new: Any) -> Any:
    """The same structure with another tensor in the first one's place."""
    if new is old:
        return value
    leaves = tree.flatten(value)
    at = next(i for i, leaf in enumerate(leaves) if leaf is old)
    return tree.pack_sequence_as(value, [*leaves[:at], new, *leaves[at + 1 :]])


def to_numpy(value: Any) -> NDArray[Any]:
    """bfloat16 and its kind as float32, which numpy can reckon with."""
    if isinstance(value, list | tuple | dict):
        value = first(value) if first(value) is not None else tree.flatten(value)[0]
    array: NDArray[Any] = value if isinstance(value, np.ndarray) else backend().to_numpy(value)
    return array.astype(np.float32) if array.dtype.kind == "V" or array.dtype.name.startswith("bfloat") else array
