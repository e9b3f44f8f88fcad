"""Sums as the statistics that quantities give: one place for the arithmetic, so that every place names them alike."""

import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Column
from nissl.core.sums import Floats, Sums

MOMENTS = (
    Column("count", "sum"),
    Column("mean"),
    Column("std", "std"),
    Column("min", "min"),
    Column("max", "max"),
    Column("active"),
    Column("magnitude"),
    Column("nan", "sum"),
    Column("inf", "sum"),
)
"""active: the share of values above zero; magnitude: the mean absolute value; nan and inf are counted, and left out of the rest."""


def neuron_columns(columns: tuple[Column, ...], units: int, prefix: str = "") -> tuple[ArraySpec, ...]:
    """One ("neuron",) array for each column, siblings renamed with it."""
    return tuple(ArraySpec(prefix + c.name, ("neuron",), (units,), columns=(prefixed(c, prefix),)) for c in columns)


def prefixed(column: Column, prefix: str) -> Column:
    """The same column under a longer name, its siblings too."""
    return Column(prefix + column.name, column.merge, prefix + column.weight, prefix + column.mean)


def moments(sums: Sums) -> dict[str, Floats]:
    """The columns of MOMENTS; NaN where a unit was never heard."""
    heard = np.where(sums.count > 0, sums.count, np.nan)
    return {
        "count": sums.count,
        "mean": np.where(sums.count > 0, sums.mean, np.nan),
        "std": np.sqrt(sums.m2 / heard),
        "min": np.where(sums.count > 0, sums.low, np.nan),
        "max": np.where(sums.count > 0, sums.high, np.nan),
        "active": sums.positive / heard,
        "magnitude": sums.magnitude / heard,
        "nan": sums.nans,
        "inf": sums.infs,
    }


def by_class(sums: Sums) -> tuple[Floats, Floats, Floats]:
    """Count (class,), mean and std (unit, class); NaN for classes that were not heard."""
    heard = np.where(sums.class_count > 0, sums.class_count, np.nan)
    mean = np.where(sums.class_count > 0, sums.class_mean, np.nan)
    return sums.class_count.max(1, initial=0), mean.T, np.sqrt(sums.class_m2 / heard).T


def five(values: NDArray[np.floating]) -> dict[str, Floats]:
    """mean, median, std, max and min of each row."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    if rows.shape[1] == 0:
        return {name: np.full(len(rows), np.nan) for name in ("mean", "median", "std", "max", "min")}
    return {
        "mean": rows.mean(1), "median": np.median(rows, 1), "std": rows.std(1), "max": rows.max(1), "min": rows.min(1)
    }  # fmt: skip
