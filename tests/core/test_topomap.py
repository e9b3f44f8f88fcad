"""Maps of units: what they are made of, their quality beside chance, time, layers that face one another, regions."""

import numpy as np
import pytest

import nissl
from nissl.core.labelled import Labelled
from nissl.core.layout import comparable
from nissl.core.map import facing
from nissl.core.ordering import evenness, order
from nissl.errors import BadValue, NotHeard, UnknownKey, UnknownName
from nissl.testing.layouts import blobs
from nissl.testing.specimens import specimen


def ring(count=100, groups=8, seed=0):
    """(unit, group): each unit answers to groups around its place on a circle, in any order."""
    angle = np.random.default_rng(seed).permutation(count) * 2 * np.pi / count
    return np.exp(4 * np.cos(angle[:, None] - np.arange(groups) * 2 * np.pi / groups) - 4)


def test_neighbours_on_a_map_answer_alike():
    found = nissl.topomap(ring())
    assert (found.units, found.groups, found.values.shape) == (100, tuple("01234567"), (1, 8, 100))
    good = found.quality
    assert good["kept"].value > 0.5 and good["kept"].z > 10
    assert good["moran"].value > 0.7 and good["moran"].chance == pytest.approx(-1 / 99, abs=0.03)
    assert good["spacing"].value < 1e-9 and good["covered"].value > 0.98
    assert "trustworthiness" in repr(good) and next(iter(good.to_dataframe().columns)) == "value"


def test_a_random_map_is_no_better_than_chance():
    good = nissl.topomap(ring(), by="random").quality
    assert abs(good["trustworthiness"].z) < 4 and abs(good["kept"].z) < 4 and abs(good["moran"].z) < 4
    assert abs(good["spacing"].z) < 4
    assert good["covered"].value == pytest.approx(1 - np.exp(-np.pi / 2), abs=0.1)


def test_moran_is_that_of_the_definition():
    places = np.stack(np.divmod(np.arange(25), 5), 1) / 4
    values = np.random.default_rng(0).normal(size=(1, 25))
    apart = ((places[:, None] - places[None]) ** 2).sum(-1)
    np.fill_diagonal(apart, np.inf)
    weight = np.zeros((25, 25))
    np.put_along_axis(weight, apart.round(9).argsort(1, kind="stable")[:, :8], 1, 1)
    z = values[0] - values[0].mean()
    expected = 25 / weight.sum() * (weight * np.outer(z, z)).sum() / (z**2).sum()
    assert order(places, comparable(values.T, "euclidean"), values)["moran"].value == pytest.approx(expected)


def test_a_perfect_grid_is_covered_and_a_heap_is_not():
    places = np.stack(np.divmod(np.arange(49), 7), 1) / 6
    heap = np.where(np.arange(49)[:, None] < 45, places / 20, places)
    even, uneven = evenness(places), evenness(heap)
    assert even["covered"].value > 0.99 and uneven["covered"].value < 0.5
    assert even["covered"].z > 3 and uneven["covered"].z < -3


def test_profiles_with_named_axes_are_the_same_map():
    table = ring(30, 4)
    groups = tuple("abcd")
    plain = nissl.topomap(table)
    named = Labelled("mean", table.T, ("class", "neuron"), {"class": groups})
    for given in (
        named,
        Labelled("mean", table, ("neuron", "class"), {"class": groups}),
        dict(zip(groups, table.T, strict=True)),
    ):
        found = nissl.topomap(given, "hidden")
        assert (found.layer, found.groups) == ("hidden", groups)
        np.testing.assert_array_equal(found.positions, plain.positions)
    xarray = pytest.importorskip("xarray")
    held = xarray.DataArray(table.T, dims=("group", "unit"), coords={"group": list(groups)})
    assert nissl.topomap(held).groups == groups
    with pytest.raises(BadValue, match="groups \\(class, group\\)"):
        nissl.topomap(xarray.DataArray(table.T, dims=("a", "unit")))


@pytest.mark.parametrize("count", [1, 2, 3, 15, 127])
def test_any_number_of_units(count):
    found = nissl.topomap(ring(count))
    assert len(np.unique(found.positions.round(6), axis=0)) == count
    assert found.quality is found.quality
    assert np.isfinite(found.field(0)).any()
    assert len(found.to_dataframe()) == count


def test_a_class_that_was_never_seen_moves_nobody():
    table = ring(40, 5)
    table[:, 2] = np.nan
    without = nissl.topomap(np.delete(table, 2, 1))
    found = nissl.topomap(table)
    np.testing.assert_array_equal(found.positions, without.positions)
    assert np.isfinite(found.quality["moran"].value)


@pytest.mark.parametrize("distance", ["cosine", "euclidean", "correlation"])
def test_distances_are_those_of_the_definition(distance):
    table = blobs()
    found = comparable(table, distance)
    mine = ((found[:, None] - found[None]) ** 2).sum(-1)
    if distance == "correlation":
        table = table - table.mean(1, keepdims=True)
    if distance == "euclidean":
        theirs = ((table[:, None] - table[None]) ** 2).sum(-1) / np.abs(table).max() ** 2
    else:
        length = np.sqrt((table**2).sum(1))
        theirs = 2 - 2 * table @ table.T / np.outer(length, length)
    np.testing.assert_allclose(mine, theirs, atol=0.03)


def test_a_trace_one_layer_or_all():
    trace = specimen("mlp")
    one = nissl.topomap(trace, "L_hidden_1")
    assert (one.layer, one.groups, one.epochs) == ("hidden_1", trace.classes, (trace.epochs[-1],))
    every = nissl.topomap(trace)
    assert list(every) == list(trace.layers) and every["hidden_1"].units == trace.units("hidden_1")
    mean = nissl.topomap(trace, "hidden_1", measure="mean")
    expected = trace.read("hidden_1", "probe_class_mean", trace.epochs[-1:])[0]
    np.testing.assert_allclose(mean.values[0], expected.T)


def test_one_map_of_all_epochs_or_maps_that_move():
    trace = specimen("mlp")
    still = nissl.topomap(trace, "hidden_1", epochs="all")
    assert still.epochs == tuple(trace.epochs) and len(still.values) == len(trace.epochs)
    assert list(still.orders().index) == trace.epochs
    moving = nissl.topomap(trace, "hidden_1", epochs="all", moving=True)
    assert list(moving) == trace.epochs
    drift = moving.drift()
    assert list(drift.columns) == ["moved", "farthest", "changed"] and len(drift) == len(trace.epochs) - 1
    assert (drift["moved"] < 0.2).all()  # the specimen's units only grow: nearly all stay where they are
    np.testing.assert_array_equal(moving[trace.epochs[-1]].positions, nissl.topomap(trace, "hidden_1").positions)
    assert "moran" in moving.orders().columns


def test_maps_of_layers_face_one_another():
    table = ring(144, 6)
    one = nissl.topomap(dict(enumerate(table.T)))
    turned = one.turned(np.array([[0.0, -1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(facing(one, turned).positions, one.positions, atol=1e-9)
    round_ = nissl.topomap(dict(enumerate(table.T)), by="disc")
    angle = np.deg2rad(77)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, -1])
    np.testing.assert_allclose(facing(round_, round_.turned(turn)).positions, round_.positions, atol=1e-9)


def test_a_region_is_where_a_group_is_answered():
    table = np.zeros((100, 3))
    table[:20, 1] = 1.0
    table[:, 0] = np.random.default_rng(0).random(100)
    found = nissl.topomap(table, distance="euclidean")
    region = found.region("1")
    assert len(region) >= 3 and np.mean([unit < 20 for unit in region.units]) > 0.9
    x, y = found.positions[7]
    assert 7 in found.region(at=(x, y), radius=0.02).units
    assert len(found.region(inside=[(-1, -1), (2, -1), (2, 2), (-1, 2)])) == 100
    with pytest.raises(BadValue, match="one of them"):
        found.region("1", at=(0, 0))
    with pytest.raises(BadValue, match="No unit"):
        found.region(at=(3, 3))
    with pytest.raises(UnknownName, match="no group"):
        found.region("nine")


def test_a_region_of_few_units_is_the_one_that_answers_most():
    for count in (2, 3, 5, 8):
        table = np.random.default_rng(count).random((count, 2))
        found = nissl.topomap(table, distance="euclidean")
        for group in ("0", "1"):
            region = found.region(group)
            assert region.units == (int(table[:, int(group)].argmax()),)
            np.testing.assert_allclose(region.outline.mean(0), found.positions[region.units[0]], atol=1e-9)
    assert nissl.topomap(np.ones((1, 3))).region("0").units == (0,)


def test_units_that_are_all_alike_warn_of_nothing():
    torch = pytest.importorskip("torch")
    torch.set_flush_denormal(True)
    try:
        with np.errstate(divide="raise", invalid="raise"):
            found = nissl.topomap(np.zeros((15, 1)), distance="euclidean")
            assert found.quality["kept"].value == found.quality["kept"].chance == 1
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.parametrize("tilt", [1e-3, 1e-6, 1e-9, 1e-12, 0.0])
def test_units_on_a_line_have_a_quality(tilt):
    along = np.linspace(0, 1, 12) ** 2
    for sign in (1, -1):
        places = np.stack([along, sign * along + tilt * (np.arange(12) % 2)], 1)
        found = evenness(places)
        assert found["spacing"].value > 0.4 and 0.2 < found["spacing"].chance < 2 and found["covered"].chance > 0.5
    assert evenness(np.full((9, 2), 0.5)) == {}


def test_a_region_in_its_model():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 24), torch.nn.ReLU(), torch.nn.Linear(24, 3))
    x = torch.randn(60, 6)
    y = model(x).argmax(1)
    with torch.no_grad():
        hidden = model[:2](x)
    table = {str(k): hidden[y == k].mean(0).numpy() for k in range(3)}
    region = nissl.topomap(table, "0").region("1")
    with torch.no_grad(), region.of(model, x).delete():
        gone = model[:2](x).std(0)
    assert not gone[list(region.units)].any()
    told = region.effect(model, (x, y)).to_dataframe()
    assert (told["intact"] == 1).all() and told["change"]["1"] < 0
    strongest = hidden[:, list(region.units)].mean(1).argsort(descending=True)[:5]
    np.testing.assert_array_equal(region.drivers(model, x, 5), strongest)
    profiles = nissl.profile(model, (x, y))
    found = nissl.topomap(profiles, "0", measure="mean")
    np.testing.assert_array_equal(found.positions, nissl.topomap(table, "0").positions)
    assert list(nissl.topomap(profiles)) == list(profiles.layers)
    with pytest.raises(BadValue, match="another model"):
        nissl.topomap(ring(30), "0").region("1").of(model)


def test_what_cannot_be_meant_is_refused():
    trace = specimen("mlp")
    with pytest.raises(UnknownName, match="grid"):
        nissl.topomap(trace, "hidden_1", by="gird")
    with pytest.raises(UnknownKey, match="hidden_1"):
        nissl.topomap(trace, "hiden_1")
    with pytest.raises(UnknownKey, match="99"):
        nissl.topomap(trace, "hidden_1", epochs=[99])
    with pytest.raises(BadValue, match="one layer at a time"):
        nissl.topomap(trace, moving=True)
    with pytest.raises(BadValue, match="of a trace"):
        nissl.topomap(ring(), epochs=3)
    with pytest.raises(BadValue, match="spreads nothing"):
        nissl.topomap(ring(), by="som", even="pca")
    with pytest.raises(BadValue, match="no number for each class"):
        nissl.topomap(trace, "hidden_1", measure="selectivity")
    with pytest.raises(NotHeard, match="classes"):
        nissl.topomap(specimen("no classes"), "hidden_1")
    with pytest.raises(BadValue, match="no unit"):
        nissl.topomap(np.zeros((0, 3)))
    with pytest.raises(BadValue, match="distance"):
        nissl.topomap(ring(), distance="manhattan")


def test_a_model_in_place_of_its_profiles_is_told_how_they_are_had():
    with pytest.raises(BadValue, match=r"nissl\.profile\(model, data\)"):
        nissl.topomap(object())
