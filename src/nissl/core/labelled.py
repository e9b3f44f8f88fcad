"""An array that knows the names of its axes and of the places along them; numpy takes it as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import UnknownKey, listing, near


@dataclass(frozen=True, eq=False)
class Labelled:
    """`values` with `dims` and, along some of them, `coords`."""

    name: str
    values: NDArray[Any]
    dims: tuple[str, ...]
    coords: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype, copy=copy)

    def __getitem__(self, key: Any) -> Any:
        return self.values[key]

    def __len__(self) -> int:
        return len(self.values)

    def sel(self, **places: Any) -> "Labelled":
        """Cut at named places: `mean.sel(epoch=30, neuron=20)`, `class_mean.sel(**{"class": "cat"})`."""
        values, dims, coords = self.values, list(self.dims), dict(self.coords)
        for dim, place in places.items():
            if dim not in dims:
                raise UnknownKey(f"{self.name} has no axis {dim!r}.{near(dim, dims)} Its axes are: {listing(dims)}.")
            values = np.take(values, self._index(dim, place), axis=dims.index(dim))
            dims.remove(dim)
            coords.pop(dim, None)
        return Labelled(self.name, values, tuple(dims), coords)

    def _index(self, dim: str, place: Any) -> int:
        known = self.coords.get(dim, range(self.values.shape[self.dims.index(dim)]))
        for index, there in enumerate(known):
            if there == place or str(there) == str(place):
                return index
        raise UnknownKey(f"{self.name} has no {dim} {place!r}.{near(place, known)} There are: {listing(known)}.")

    def to_xarray(self) -> Any:
        """As an xarray.DataArray."""
        import xarray

        return xarray.DataArray(
            self.values, dims=self.dims, coords={k: list(v) for k, v in self.coords.items()}, name=self.name
        )

    def __repr__(self) -> str:
        axes = ", ".join(f"{dim}: {n}" for dim, n in zip(self.dims, self.shape, strict=True))
        return f"<{self.name} ({axes})>\n{self.values!r}"


class Series(dict[str, Labelled]):
    """The numbers of a run by name."""

    def __missing__(self, name: object) -> Labelled:
        raise UnknownKey(f"No number is called {name!r}.{near(str(name), self)} There are: {listing(self)}.")
