"""Dead, saturated and broken units, gradients and updates, counted by hand."""

import numpy as np

from nissl.core.layer import Layer
from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.core.vitals import vitals
from nissl.stores.memory import Memory

COLUMNS = ("mean", "std", "magnitude", "nan", "inf", "gradient_magnitude", "weight_update", "weight_norm")


def made(tables, bends="Sigmoid"):
    """A trace of one layer, by epoch (unit, column)."""
    from dataclasses import asdict

    store = Memory("vitals")
    units = len(next(iter(tables.values())))
    store.create({"classes": [], "layers": [asdict(Layer("hidden", "dense", units, nonlinearity=bends))]})
    spec = ArraySpec(
        "stats", ("neuron", "stat"), (units, len(COLUMNS)), "hidden", columns=tuple(Column(n, "first") for n in COLUMNS)
    )
    store.declare([spec])
    for epoch, table in tables.items():
        store.append(Record(epoch, {spec.key: np.asarray(table, np.float32)} if table is not None else {}, {}))
    store.close()
    return Trace(store)


def test_units_are_counted_and_sizes_are_means():
    first = [[0.5, 0.1, 0.5, 0, 0, 0.25, 3, 5], [0, 0, 0, 0, 0, 0.75, 4, 0]]
    later = [[0.99, 0.01, 0.99, 2, 0, np.nan, np.nan, np.nan], [0.01, 0.01, 0.01, 0, 1, 0.5, 1, 2]]
    found = vitals(made({0: first, 4: later}))
    np.testing.assert_array_equal(found["dead"], [[1, 0]])
    np.testing.assert_array_equal(found["broken"], [[0, 2]])
    np.testing.assert_array_equal(found["saturated"], [[1, 2]])  # a dead sigmoid is at its lower end
    np.testing.assert_allclose(found["gradient"], [[0.5, 0.5]])
    np.testing.assert_allclose(found["update"], [[1.0, 0.5]])


def test_what_was_not_recorded_is_left_out():
    assert vitals(made({0: [[0.0] * 8]}, bends="ReLU")).keys() == {"dead", "broken", "gradient"}
