"""Values as modules hand them over (an array, or a tuple or dict with one in it) and as numpy."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp
from numpy.typing import NDArray


def value_of(out: Any, *, last: bool) -> Any:
    """The array that is meant: the last of a recurrent cell's tuple, else the first there is; None if there is none."""
    if last and isinstance(out, tuple):
        out = out[-1]
    return next((leaf for leaf in jax.tree.leaves(out) if hasattr(leaf, "dtype") and hasattr(leaf, "shape")), None)


def replaced(out: Any, old: Any, new: Any) -> Any:
    """The same with one of its arrays exchanged, wherever it is."""
    return jax.tree.map(lambda leaf: new if leaf is old else leaf, out)


def to_numpy(value: Any) -> NDArray[Any]:
    """On the processor, as numpy; types that numpy doesn't know as float32."""
    if not hasattr(value, "__array__"):
        found = value_of(value, last=False)
        value = value if found is None else found
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "V" or array.dtype.name.startswith("bfloat") else array


def native(x: Any, dtype: Any) -> Any:
    """What the user gave, as the model takes it: numpy's floating numbers in the parameters' type."""
    if isinstance(x, np.ndarray | np.generic):
        return jnp.asarray(x, dtype if x.dtype.kind == "f" else None)
    if isinstance(x, Mapping):
        return {name: native(value, dtype) for name, value in x.items()}
    if type(x) is tuple:
        return tuple(native(value, dtype) for value in x)
    return native(np.asarray(x), dtype) if isinstance(x, list) else x


def called_with(model: Any, x: Any, **extra: Any) -> Any:
    """A tuple is several arguments, a dict named ones."""
    if isinstance(x, Mapping):
        return model(**x, **extra)
    return model(*x, **extra) if type(x) is tuple else model(x, **extra)
