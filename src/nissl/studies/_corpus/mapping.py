"""Places for units, and maps drawn from them."""

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import Layout, comparable, layout, placed
from nissl.errors import MissingDependency, NisslWarning

Array = NDArray[Any]
NAMES = {"UMAP": "umap", "tSNE": "tsne"}
RESOLUTION = 100


def layouting(method: str | None, *, disc: bool) -> tuple[Layout, str]:
    """The layout that is meant by iNNtrospect's names or by ours, and what it is called; where what it needs is missing, the disc."""
    name = None if method is None else NAMES.get(method, method)
    inner = layout(name or "grid", {})
    if inner.needs and find_spec(inner.needs) is None:
        try:
            placed(inner, np.eye(3))
        except MissingDependency as error:
            instead = layout("disc", {})
            warnings.warn(f"nissl: {error} Until then units are placed by {instead!r}.", NisslWarning, 3)
            return instead, "disc"
    if disc:
        return layout("disc", {} if name in (None, "disc") else {"of": name}), method or "disc"
    return inner, method or "grid"


def places(profile: Array, how: Layout, seed: int) -> Array:
    """(unit, 2), each axis from 0 to 1, of a profile (group, position ..., unit)."""
    features = comparable(profile.reshape(-1, profile.shape[-1]).T, "euclidean")
    found = placed(how, features, seed=seed)
    low, span = found.min(0), np.ptp(found, 0)
    return np.where(span > 0, (found - low) / np.where(span > 0, span, 1), 0.5)


def interpolated(coordinates: Array, values: Array) -> Array:
    """(group, 100, 100): linear between units, 0 outside of their hull, turned as iNNtrospect turns its maps."""
    from scipy.interpolate import griddata
    from scipy.spatial import QhullError

    places = np.stack([1 - coordinates[:, 1], coordinates[:, 0]], 1)
    low, high = places.min(0), places.max(0)
    rows, columns = (np.linspace(low[axis], high[axis], RESOLUTION) for axis in (0, 1))
    grid = np.meshgrid(rows, columns, indexing="ij")
    try:
        found = griddata(places, values.T, tuple(grid), method="linear")
    except (QhullError, ValueError):  # fewer than three units, or all on a line
        found = griddata(places, values.T, tuple(grid), method="nearest")
    return np.ascontiguousarray(np.nan_to_num(found)[:, ::-1].transpose(2, 1, 0))
