"""Units as paths through training: planted courses come out, nothing depends on the order of units, and what cannot be is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nissl
from nissl.errors import BadValue, NotHeard, UnknownName
from nissl.testing.specimens import specimen

EPOCHS = 20


def splitting(at=10, each=15, seed=0):
    """(epoch, unit, feature): two groups that are one until an epoch, then part; and a third that always was another."""
    rng = np.random.default_rng(seed)
    ways = rng.normal(size=(3, 8))
    late = np.clip((np.arange(EPOCHS) - at) / 5, 0, 1)[:, None]
    courses = np.stack([ways[0] + 0 * late, ways[0] + late * (ways[1] - ways[0]), ways[2] + 0 * late], 1)
    own = 0.25 * rng.normal(size=(1, 3 * each, 8))
    return np.repeat(courses, each, 1) + own + 0.02 * rng.normal(size=(EPOCHS, 3 * each, 8))


def between(places, one, other):
    """(epoch,): how far two groups' middles are apart, in parts of their own spread."""
    apart = np.linalg.norm(places[:, one].mean(1) - places[:, other].mean(1), axis=-1)
    spread = np.sqrt(np.mean([places[:, g].var(1).sum(-1) for g in (one, other)], 0))
    return apart / spread


def test_groups_that_split_part_when_they_do():
    found = nissl.trails(splitting(at=10))
    first, second, third = slice(0, 15), slice(15, 30), slice(30, 45)
    parted = between(found.positions, first, second)
    assert parted[:10].max() < 1.0 and parted[14:].min() > 2.0
    assert between(found.positions, first, third).min() > 2.0


def test_who_moves_far_goes_far_and_who_stands_still_stays():
    rng = np.random.default_rng(1)
    table, way = rng.normal(size=(1, 40, 6)), rng.normal(size=(40, 6))
    speed = np.linspace(0, 1, 40) * (np.arange(40) > 3)  # the first four stand still
    table = table + np.arange(EPOCHS)[:, None, None] / EPOCHS * 1.5 * speed[:, None] * way
    found = nissl.trails(table, distance="euclidean")
    length = np.linalg.norm(np.diff(found.positions, axis=0), axis=-1).sum(0)
    assert length[:4].max() < 0.35 * np.median(length[4:])
    assert np.corrcoef(length, speed)[0, 1] > 0.6
    assert found.quality["step"].value < 0.5 * found.quality["step"].chance and found.quality["step"].z > 10
    assert found.quality["kept"].z > 10


def test_its_quality_is_that_of_the_definition():
    found = nissl.trails(splitting(), layer="a", seed=3)
    good = found.quality
    k = 8
    kept = []
    for places, features in zip(found.positions, found.features, strict=True):
        near = [
            np.linalg.norm(x[:, None] - x[None], axis=-1).argsort(1, kind="stable")[:, 1 : k + 1]
            for x in (places, features)
        ]
        kept.append(np.mean([len(set(a) & set(b)) / k for a, b in zip(*near, strict=True)]))
    assert good["kept"].value == pytest.approx(np.mean(kept), abs=0.002)
    step = np.linalg.norm(found.positions[1:] - found.positions[:-1], axis=-1)
    assert good["step"].value == pytest.approx(step.mean())
    changed = np.linalg.norm(found.features[1:] - found.features[:-1], axis=-1)
    assert good["follows"].value == pytest.approx(np.corrcoef(step.ravel(), changed.ravel())[0, 1])
    assert abs(good["follows"].chance) < 0.1 and good["kept"].chance == pytest.approx(8 / 44, abs=0.03)
    assert np.sqrt((found.positions**2).sum(-1).mean()) == pytest.approx(1)


def test_paths_in_any_order_would_be_no_smoother_than_chance():
    noise = np.random.default_rng(0).normal(size=(12, 30, 6))
    good = nissl.trails(noise).quality
    assert abs(good["step"].value / good["step"].chance - 1) < 0.1


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 5), st.integers(0, 99))
def test_units_in_another_order_have_the_same_paths(units, epochs, width, seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(epochs, units, width)).cumsum(0)
    order = rng.permutation(units)
    found = nissl.trails(table, distance="euclidean").positions
    assert np.isfinite(found).all() and found.shape == (epochs, units, 2)
    np.testing.assert_array_equal(nissl.trails(table[:, order], distance="euclidean").positions, found[:, order])


HOSTILE = {
    "constant": np.full((4, 6, 3), 2.0),
    "silent": np.zeros((3, 5, 2)),
    "one epoch": np.random.default_rng(0).random((1, 20, 4)),
    "one unit": np.random.default_rng(0).random((6, 1, 4)),
    "one number": np.random.default_rng(0).random((5, 7, 1)),
    "nothing moves": np.repeat(np.random.default_rng(0).random((1, 12, 4)), 5, 0),
    "NaN in places": np.where(np.random.default_rng(1).random((5, 9, 4)) < 0.1, np.nan, 1.0),
    "nothing but NaN": np.full((3, 4, 2), np.nan),
    "huge and tiny": np.geomspace(1e-20, 1e20, 60).reshape(3, 5, 4),
    "dead from the third epoch on": np.random.default_rng(0).random((6, 8, 3)) * (np.arange(6) < 2)[:, None, None],
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("distance", ["correlation", "euclidean"])
def test_whatever_the_numbers_are_places_are_finite(case, distance):
    found = nissl.trails(HOSTILE[case], distance=distance)
    assert found.positions.shape == (*HOSTILE[case].shape[:2], 2) and np.isfinite(found.positions).all()
    assert all(np.isfinite([m.value, m.chance, m.spread]).all() for m in found.quality.values())
    assert found.to_dataframe().shape == (HOSTILE[case].shape[0] * HOSTILE[case].shape[1], 3)


def test_layers_share_a_picture_and_three_dimensions_are_possible():
    table = splitting()
    found = nissl.trails({"a": table[:, :20], "b": table[:, 20:]}, dimensions=3)
    assert dict(found.layers) == {"a": 20, "b": 25} and found.positions.shape == (EPOCHS, 45, 3)
    np.testing.assert_array_equal(found.positions, nissl.trails(table, dimensions=3).positions)
    np.testing.assert_array_equal(found.path(2, "b"), found.positions[:, 22])
    with pytest.raises(BadValue, match="which layer"):
        found.path(2)
    with pytest.raises(UnknownName, match="no unit 25"):
        found.path(25, "b")
    with pytest.raises(UnknownName, match="There are: a, b"):
        found.of("c")


def test_a_trace_gives_all_its_epochs_and_who_answers_what():
    trace = specimen("mlp")
    found = nissl.trails(trace, trace.layers[0])
    assert found.epochs == tuple(trace.epochs) and found.groups == trace.classes
    last = nissl.topomap(trace, trace.layers[0]).values[-1]
    some = np.ptp(last, axis=0) > 0
    np.testing.assert_array_equal(found.owners[some], last.argmax(0)[some])
    every = nissl.trails(trace)
    assert list(every.layers) == list(trace.layers)
    assert nissl.trails(trace, trace.layers[0], epochs=trace.epochs[:2]).epochs == tuple(trace.epochs[:2])


def test_samples_are_told_apart_where_they_were_recorded(tmp_path):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net, x = torch.nn.Sequential(torch.nn.Linear(4, 9), torch.nn.ReLU(), torch.nn.Linear(9, 2)), torch.randn(30, 4)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with nissl.record(
        net, tmp_path / "run", probe=(x, x[:, 0] > 0), quantities=("samples",), progress=False
    ) as recorder:
        for _ in recorder.epochs(3):
            torch.nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long()).backward()
            optimizer.step()
    trace = nissl.open(tmp_path / "run")
    found = nissl.trails(trace, "0", measure="samples")
    said = np.asarray(trace.read("0", "samples", [3])[0])
    apart = np.linalg.norm(found.features[-1][:, None] - found.features[-1][None], axis=-1)
    alive = said.std(0) > 0
    wanted = np.sqrt(np.maximum(2 - 2 * np.corrcoef(said.T[alive]), 0))
    np.testing.assert_allclose(apart[np.ix_(alive, alive)], wanted, atol=0.06)
    assert found.owners is None and found.groups == ()
    with pytest.raises(NotHeard, match="'profile'"):
        nissl.trails(trace, "0")


@pytest.mark.parametrize(("options", "words"), [
    ({"by": "grid"}, "one moment only"), ({"dimensions": 4}, "dimensions=4"), ({"epochs": 3}, "asked of a trace"),
    ({"power": 0}, "power=0"), ({"distance": "far"}, "distance='far'"),
])  # fmt: skip
def test_what_cannot_be_is_said(options, words):
    with pytest.raises(BadValue, match=words):
        nissl.trails(splitting(), **options)


@pytest.mark.parametrize(
    "what",
    [
        np.zeros((3, 4)),
        np.zeros((2, 0, 3)),
        np.array([[["a"]]]),
        {},
        {"a": np.zeros((2, 3, 4)), "b": np.zeros((3, 3, 4))},
    ],
)
def test_numbers_of_another_shape_are_refused(what):
    with pytest.raises(BadValue):
        nissl.trails(what)


def test_what_was_not_recorded_is_named():
    with pytest.raises(NotHeard, match="'samples'"):
        nissl.trails(specimen("mlp"), measure="samples")
