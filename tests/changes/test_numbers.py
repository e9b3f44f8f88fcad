"""Drift, events, likeness and spectra against reckonings by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nissl
from nissl.core.change import spectra
from nissl.core.change.likeness import cka, spectrum
from nissl.errors import BadValue, UnknownName
from tests.changes.planted import motion, stored


def by_hand(x, y):
    """Debiased CKA by the sums of Song et al. (2012), as they stand."""

    def hsic(k, ell):
        n = len(k)
        k, ell = k - np.diag(np.diag(k)), ell - np.diag(np.diag(ell))
        one = np.ones(n)
        inner = np.trace(k @ ell) + (one @ k @ one) * (one @ ell @ one) / ((n - 1) * (n - 2))
        return (inner - 2 / (n - 2) * one @ k @ ell @ one) / (n * (n - 3))

    k, ell = x @ x.T, y @ y.T
    return hsic(k, ell) / np.sqrt(hsic(k, k) * hsic(ell, ell))


def test_likeness_is_debiased_cka():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 12))
    y = x @ rng.normal(size=(12, 7)) + rng.normal(size=(30, 7)) + 5
    assert cka(x, y) == pytest.approx(by_hand(x, y), rel=1e-9)
    assert cka(x, x) == pytest.approx(1)
    none = [cka(rng.normal(size=(30, 300)), rng.normal(size=(30, 300))) for _ in range(20)]
    assert abs(np.mean(none)) < 0.05  # what is biased would say about 0.9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 20), st.integers(2, 8), st.floats(0.01, 100))
def test_likeness_does_not_see_rotation_scale_and_shift(seed, points, units, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(points, units)), rng.normal(size=(points, 3))
    turn = np.linalg.qr(rng.normal(size=(units, units)))[0]
    assert cka(scale * x @ turn + 3, y) == pytest.approx(cka(x, y), abs=1e-8)


def test_likeness_of_a_trace_is_of_its_samples_and_says_when_it_has_none():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(8, 20, 6)), rng.normal(size=(8, 20, 5))
    dims = ("sample", "neuron")
    paths = {"a": motion("noise", rng, 8, 6), "b": motion("noise", rng, 8, 5)}
    with_samples = nissl.changes(
        stored(paths, more={("a", "samples"): (dims, a), ("b", "samples"): (dims, b)}), progress=False
    ).alike
    assert (with_samples.by, with_samples.points) == ("samples", 20)
    assert with_samples.within["a"][2, 5] == pytest.approx(by_hand(*(a[[2, 5]].astype("f4").astype(float))), abs=1e-6)
    assert with_samples.across[3, 0, 1] == pytest.approx(by_hand(a[3], b[3]), abs=1e-5)
    without = nissl.changes(stored(paths), progress=False)
    assert (without.alike.by, without.alike.points) == ("classes", 4)
    assert "record the quantity 'samples'" in str(without)
    three = nissl.changes(stored({"a": motion("noise", rng, 8, 6, 3)}, classes="xyz"), progress=False)
    assert np.isnan(three.alike.within["a"]).all() and "that takes four points" in str(three)


def test_dimensions_are_the_participation_ratio():
    rng = np.random.default_rng(2)
    q = np.linalg.qr(rng.normal(size=(40, 40)) - 0)[0]
    x = (q - q.mean(0))[:, :5] * np.array([4.0, 2.0, 1.0, 0.5, 0.0])
    values = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    size, rank = spectrum(x @ x.T)
    assert size == pytest.approx(values.sum() ** 2 / (values**2).sum()) and rank == 4
    assert spectrum(np.ones((5, 5))) == (0.0, 0)


def test_spectra_are_of_the_weights_and_of_what_was_added(monkeypatch):
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(5, 6, 9)).astype("f4").cumsum(0)
    path = motion("noise", rng, 5, 6)
    trace = stored({"a": path}, more={("a", "weight"): (("neuron", "input"), weights)})
    found = nissl.changes(trace, progress=False)
    for place, row in enumerate(found.weights):
        values = np.linalg.svd(weights[place], compute_uv=False)
        np.testing.assert_allclose(row["largest"], values, rtol=1e-5)
        assert row["stable_rank"] == pytest.approx((values**2).sum() / values[0] ** 2, rel=1e-5)
        away = np.linalg.norm(weights[place] - weights[-1]) / np.linalg.norm(weights[-1])
        assert row["from_last"] == pytest.approx(away, rel=1e-5, abs=1e-9)
    added = np.linalg.svd(weights[3] - weights[2], compute_uv=False)
    np.testing.assert_allclose(found.weights[3]["update_largest"], added, rtol=1e-5)
    assert list(found.spectra.columns[:2]) == ["epoch", "layer"] and len(found.spectra) == 5
    monkeypatch.setattr(spectra, "LARGE", 3)
    large = spectra.spectrum(weights[4])
    assert large.values[0] == pytest.approx(np.linalg.norm(weights[4], 2), rel=1e-3)
    assert spectra.spectrum(np.zeros((3, 3))).stable_rank == 0


def test_weights_are_read_when_their_spectra_are_asked_for(monkeypatch):
    rng = np.random.default_rng(5)
    trace = stored(
        {"a": motion("noise", rng, 5, 6)}, more={("a", "weight"): (("neuron", "input"), rng.normal(size=(5, 6, 9)))}
    )
    asked = []
    monkeypatch.setattr(
        spectra, "_at", lambda trace, spec, epoch, read=spectra._at: asked.append(epoch) or read(trace, spec, epoch)
    )
    found = nissl.changes(trace, progress=False)
    assert found.sentences and found.rows() and not asked
    assert len(found.weights) == 5 == len(found.to_dict()["weights"])
    assert set(asked) == set(trace.epochs)
    asked.clear()
    assert len(found.spectra) == 5 and not asked


def test_drift_is_the_distance_in_parts_of_the_spread():
    rng = np.random.default_rng(4)
    path = motion("walk", rng, 10, 7)
    weight = rng.normal(size=(10, 7, 3))
    bias = rng.normal(size=(10, 7))
    trace = stored(
        {"a": path}, more={("a", "weight"): (("neuron", "input"), weight), ("a", "bias"): (("neuron",), bias)}
    )
    found = nissl.changes(trace, progress=False)
    spread = path.astype("f4").std()
    last = np.sqrt(((path - path[-1]) ** 2).mean(-1)) / spread
    np.testing.assert_allclose(found.units("a", since="last"), last, rtol=1e-4, atol=1e-6)
    before = np.sqrt((np.diff(path, axis=0) ** 2).mean(-1)) / spread
    np.testing.assert_allclose(found.units("a").values[1:], before, rtol=1e-4)
    np.testing.assert_allclose(found.drift.query("layer == 'a'").previous[1:], np.sqrt((before**2).mean(1)), rtol=1e-4)
    away = np.sqrt(((weight - weight[-1]) ** 2).mean(-1)) / weight.std()
    np.testing.assert_allclose(found.units("L_a", of="weight", since="last"), away, rtol=1e-4, atol=1e-6)
    moved = np.abs(np.diff(bias, axis=0)) / bias.astype("f4").std()
    np.testing.assert_allclose(found.units("a", of="bias").values[1:], moved, rtol=1e-4)
    with pytest.raises(UnknownName, match="No mean of 'a'"):
        found.units("a", of="mean")
    with pytest.raises(BadValue, match="since"):
        found.units("a", since="first")


def test_scale_does_not_change_what_is_found():
    path = motion("walk", np.random.default_rng(5), 12, 20)
    one, other = (nissl.changes(stored({"a": by * path}), progress=False) for by in (1, 1000))
    np.testing.assert_allclose(one.scans["a"].p, other.scans["a"].p, rtol=0.05)
    np.testing.assert_allclose(one.scans["a"].moved, other.scans["a"].moved, rtol=1e-4)


def test_births_deaths_and_preferences_have_their_epochs():
    path = np.ones((12, 4, 4))
    path[:, :, 0] = 3.0
    path[5:, 1, 2] = 9.0  # from then on it prefers another class
    path[7, 2, 1] = 9.0  # for one epoch only
    magnitude = np.ones((12, 4))
    magnitude[:4, 0] = 0
    magnitude[9:, 3] = 0
    trace = stored({"a": path}, more={("a", "probe_magnitude"): (("neuron",), magnitude)})
    found = nissl.changes(trace, progress=False)
    assert list(found.events.neuron) == [0, 1, 3]
    assert found.turned() == [
        (4, "birth", "a", 0, None, None), (5, "preference", "a", 1, "a", "c"), (9, "death", "a", 3, None, None)
    ]  # fmt: skip
    assert "1 born, 1 died" in str(found)
    short = nissl.changes(trace, lasting=1, progress=False).events
    assert list(short[short.neuron == 2].epoch) == [7, 8]
    table = found.table.set_index("neuron")
    assert (table.class_first[1], table.class_last[1]) == ("a", "c") and table.events[3] == "death E_9"


def test_bounded_units_saturate():
    mean, std = np.full((10, 3), 0.5), np.full((10, 3), 0.2)
    mean[6:, 1], std[6:, 1] = 0.995, 0.01
    mean[6:, 2], std[6:, 2] = 0.5, 0.5  # half of the time at one end, half at the other
    from nissl.core.store import ArraySpec, Column, Record
    from nissl.stores.memory import Memory

    store = Memory("sigmoid")
    place = {
        "name": "a",
        "kind": "dense",
        "units": 3,
        "nonlinearity": "Sigmoid",
        "inputs": [],
        "unit_shape": [],
        "parameters": {},
    }
    store.create({"classes": [], "layers": [place]})
    columns = (Column("probe_mean", "first"), Column("probe_std", "first"))
    spec = ArraySpec("stats", ("neuron", "stat"), (3, 2), "a", columns=columns)
    store.declare([spec])
    for epoch in range(10):
        store.append(Record(epoch, {spec.key: np.stack([mean[epoch], std[epoch]], -1).astype("f4")}))
    found = nissl.changes(nissl.Trace(store), progress=False)
    assert [row[:4] for row in found.turned()] == [(6, "saturation", "a", 1), (6, "saturation", "a", 2)]


def test_layers_settle_when_they_stay_near_their_end():
    rng = np.random.default_rng(6)
    way = rng.normal(size=(1, 10, 4))
    share = np.minimum(np.arange(20) / 8, 1)[:, None, None]
    found = nissl.changes(stored({"a": way * share}), progress=False)
    assert found.scans["a"].epochs[found.scans["a"].settles(3)] == 8
    assert "a settled by E_8" in str(found)
    steady = nissl.changes(stored({"a": way * np.arange(20)[:, None, None]}), progress=False)
    assert "a has not settled" in str(steady)
