"""The numbers of quantities against numpy."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from nissl.core.capabilities import ParameterGradients
from nissl.core.columns import quantiles
from nissl.core.layer import Layer
from nissl.core.quantity import Context, Heard
from nissl.core.sums import NumpyAccumulator
from nissl.quantities.gradient import Gradient
from nissl.quantities.quantiles import LEVELS, Quantiles
from nissl.quantities.weight_gradients import WeightGradients
from nissl.quantities.weights import Weights

rng = np.random.default_rng(0)


def test_five_statistics_of_weights_and_biases():
    weight, bias = rng.normal(size=(4, 6)), rng.normal(size=4)
    found = Weights().read(Heard(Context(), parameters={"weight": weight, "bias": bias}))
    for name, function in {"mean": np.mean, "median": np.median, "std": np.std, "max": np.max, "min": np.min}.items():
        np.testing.assert_allclose(found[f"weight_{name}"], function(weight, axis=1))
        row = ("mean", "median", "std", "max", "min").index(name)
        np.testing.assert_allclose(found["parameter_summary"][:, row], [function(weight), function(bias)])
    np.testing.assert_array_equal(found["bias"], bias)
    assert "weight_update" not in found  # nothing to compare with


def test_update_and_cosine_to_the_last_recorded_epoch():
    before = {"weight": rng.normal(size=(3, 2, 2, 2)), "bias": rng.normal(size=3)}
    now = {"weight": before["weight"] * -2.0, "bias": before["bias"] + 1}
    found = Weights().read(Heard(Context(), parameters=now, before=before))
    np.testing.assert_allclose(found["weight_cosine"], -1)
    np.testing.assert_allclose(found["weight_update"], 3 * np.linalg.norm(before["weight"].reshape(3, -1), axis=1))
    np.testing.assert_allclose(found["bias_update"], 1)


def test_a_bias_for_each_gate_is_in_the_summary_alone():
    weight, bias = rng.normal(size=(4, 6)), rng.normal(size=(4, 3))
    layer = Layer("lstm", "recurrent", 4, parameters={"weight": weight.shape, "bias": bias.shape})
    declared = [c.name for spec in Weights().declare(layer, Context()) for c in spec.columns]
    now = {"weight": weight, "bias": bias}
    found = Weights().read(Heard(Context(), parameters=now, before=now))
    assert not {"bias", "bias_update"} & {*declared, *found}
    np.testing.assert_allclose(found["parameter_summary"][1, 0], bias.mean())


def test_full_snapshots_by_default_only_of_networks_that_are_not_large():
    layer = Layer("fc", "dense", 4, parameters={"weight": (4, 6)})

    def kept(quantity, total):
        return "weight" in [s.name for s in quantity.declare(layer, Context(parameters=total))]

    assert kept(Weights(), 10**6) and not kept(Weights(), 10**7)
    assert kept(Weights(full=True), 10**7) and not kept(Weights(full=False), 10)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6000), st.integers(0, 5))
def test_the_median_is_as_exact_as_it_says(size, seed):
    values = np.random.default_rng(seed).gamma(1.0, size=(size, 2))
    accumulator = NumpyAccumulator(-1, sketch=Quantiles.sketch)
    for part in np.array_split(values, 7):
        accumulator.fold(part)
    found = Quantiles().read(Heard(Context(), sums=accumulator.read()))
    for name, level in LEVELS.items():
        below = (values <= found[name]).mean(0)
        if size <= Quantiles.sketch:
            np.testing.assert_allclose(found[name], np.quantile(values, level, axis=0), rtol=1e-6)
        else:
            assert np.abs(below - level).max() < 0.08  # four standard errors of 512 kept values


@given(
    arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(-1e3, 1e3) | st.just(np.nan))
)
def test_quantiles_of_rows_equal_numpys(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns of rows that are all NaN
        expected = np.nanquantile(rows, [0.0, 0.3, 0.5, 1.0], axis=1)
    np.testing.assert_allclose(quantiles(rows, [0.0, 0.3, 0.5, 1.0]), expected, rtol=1e-9, atol=1e-9)


def test_quantiles_leave_out_what_is_not_finite():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.inf], [np.nan, np.nan]])
    accumulator = NumpyAccumulator(-1, sketch=8)
    accumulator.fold(values)
    found = Quantiles().read(Heard(Context(), sums=accumulator.read()))
    assert found["median"][0] == 2 and np.isnan(found["median"][1])


def test_signal_to_noise_of_gradients():
    values = rng.normal(0.5, 1.0, (4000, 1))
    accumulator = NumpyAccumulator(-1)
    accumulator.fold(values)
    found = Gradient().read(Heard(Context(), sums=accumulator.read()))
    assert found["gradient_snr"][0] == pytest.approx(abs(values.mean()) / values.std())
    assert found["gradient_magnitude"][0] == pytest.approx(np.abs(values).mean())
    steady = ParameterGradients(np.ones(2), np.array([3.0, 1.0]), np.array([1.5, 0.0]), 5)
    snr = WeightGradients().read(Heard(Context(), gradients=steady))["weight_gradient_snr"]
    assert snr[0] == 2 and np.isnan(snr[1])
