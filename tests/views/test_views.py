"""What each view shows, counted anew from the trace."""

from dataclasses import replace

import numpy as np
import pytest

from nissl.core.marks import Bars, Cells, Lines, Ribbons, Text, plain
from nissl.core.palette import OVERLAP, STAIN10
from nissl.errors import BadValue, UnknownName
from nissl.testing.specimens import chain, dense, specimen, trace
from nissl.views._plots.panel import round_epochs
from nissl.views.confusions import Confusions
from nissl.views.curves import Curves
from nissl.views.divergence import Divergence
from nissl.views.histories import Histories
from nissl.views.pathways import Pathways
from tests.views.seeing import of, slides, words


def test_dye_is_the_response_above_its_mean_and_grey_the_mean():
    seen = specimen("mlp")
    tiles = slides(Pathways(seen, classes=["3", "8"]).describe())["hidden_1"]
    values = seen.read("hidden_1", "probe_class_mean", [5])[0].astype(float)
    values = np.minimum(values / np.percentile(values, 99.8), 1.2)
    values[values < 1e-6] = 0
    mean = values.mean(1)
    for place, number in enumerate((3, 8)):
        expected = np.maximum(0, values[:, number] - 1.15 * mean) / (1 - 0.115)
        np.testing.assert_allclose(tiles.depth[:, place], expected[tiles.unit], atol=1e-9)
    np.testing.assert_allclose(tiles.grey / tiles.grey.max(), (mean / mean.max())[tiles.unit])
    np.testing.assert_array_equal(tiles.silent, (values == 0).all(1)[tiles.unit])
    assert sorted(tiles.unit) == list(range(64))


def test_early_epochs_are_pale_and_units_stay_where_they_are():
    seen = specimen("mlp")
    first, last = (slides(Pathways(seen, epoch=e).describe())["hidden_1"] for e in (0, 5))
    np.testing.assert_array_equal(first.unit, last.unit)
    assert first.depth.sum() < 0.5 * last.depth.sum()


def test_units_that_prefer_a_class_lie_together_in_the_order_of_the_classes():
    seen = specimen("mlp")
    tiles = slides(Pathways(seen).describe())["hidden_1"]
    values = seen.read("hidden_1", "probe_class_mean", [5])[0][tiles.unit]
    best = np.where(values.max(1) > 0, values.argmax(1), 10)
    in_reading_order = best[np.lexsort((tiles.column, tiles.row))]
    assert (np.diff(in_reading_order) >= 0).all()


def test_ribbons_are_counted_and_the_budget_holds():
    seen = specimen("mlp")
    for budget in (0, 1, 40, 900):
        picture = Pathways(seen, classes=[3, 8], ribbons=budget).describe()
        drawn = sum(len(mark.start) for mark in of(picture, Ribbons))
        assert drawn == budget
        if budget:
            assert f"{budget} of " in picture.caption
    assert "none of" in Pathways(seen, ribbons=0).describe().caption
    with pytest.raises(BadValue, match="ribbons=-1"):
        Pathways(seen, ribbons=-1).describe()


def test_ribbons_leave_and_reach_the_cells_of_their_units():
    picture = Pathways(specimen("mlp"), classes=[3], ribbons=50).describe()
    (ribbons,) = of(picture, Ribbons)
    tiles = slides(picture)
    right = np.concatenate([t.centres() + 0.5 * np.array(t.across) for t in tiles.values()])
    left = tiles["hidden_2"].centres() - 0.5 * np.array(tiles["hidden_2"].across)
    assert all(np.isclose(right, start).all(1).any() for start in ribbons.start)
    inner = ribbons.end[ribbons.end[:, 0] < 1200]
    assert len(inner) and all(np.isclose(left, end).all(1).any() for end in inner)
    assert (np.diff(ribbons.width) >= 0).all()  # the strong ones on top


def test_what_lowers_an_output_is_dashed_and_fainter():
    (ribbons,) = of(Pathways(specimen("mlp"), classes=[3]).describe(), Ribbons)
    assert ribbons.dashed.any() and not ribbons.dashed.all()
    order = np.argsort(ribbons.width)
    alpha, dashed = ribbons.alpha[order], ribbons.dashed[order]
    pairs = [(a, b) for a, b, x, y in zip(alpha, alpha[1:], dashed, dashed[1:], strict=False) if x and not y]
    assert np.mean([a < b for a, b in pairs]) > 0.95


@pytest.mark.parametrize(("name", "said"), [
    ("no weights", "No ribbons: the trace holds no weights"),
    ("bins", "No ribbons: the trace holds no weights that lead to an output for each class"),
    ("silent", "No ribbons: nothing answers"),
    ("no classes", "No classes are recorded"),
    ("many classes", "8 of 100 classes dyed, those most often taken for one another"),
    ("deep", "9 of 20 layers shown"),
])  # fmt: skip
def test_what_is_missing_or_left_out_is_said(name, said):
    assert said in Pathways(specimen(name)).describe().caption


def test_a_class_keeps_its_dye_in_every_picture():
    seen = specimen("mlp")
    alone, among = (Pathways(seen, classes=chosen).describe() for chosen in (["8"], None))
    assert slides(alone)["hidden_1"].dyes == (STAIN10[8],)
    assert slides(among)["hidden_1"].dyes == STAIN10


def test_accuracy_beside_a_port_is_the_class_own():
    seen = specimen("mlp")
    counts = seen.array("probe_confusion", epoch=5)
    told = words(Pathways(seen).describe())
    for number, right in enumerate(np.diagonal(counts) / counts.sum(1)):
        assert f"{100 * right:.0f} %" in told[told.index(str(number)) :][:2]


def test_too_many_or_unknown_classes_are_refused():
    with pytest.raises(BadValue, match="dyes for 10"):
        Pathways(specimen("many classes"), classes=list(range(11))).describe()
    with pytest.raises(BadValue, match="list of names"):
        Pathways(specimen("mlp"), classes="3").describe()
    with pytest.raises(UnknownName, match="negative"):
        Pathways(specimen("binary"), classes=["negatve"]).describe()


def test_divergence_counts_its_sets():
    seen = specimen("binary")
    picture = Divergence(seen).describe()
    layers = [seen.read(f"hidden_{k}", "probe_class_mean", [11])[0].astype(float) for k in (1, 2, 3)]
    values = np.concatenate([values > values.mean(0) for values in layers])
    first, second = values.T
    both, one, two = (first & second).sum(), (first & ~second).sum(), (second & ~first).sum()
    assert (
        f"A0 ∩ A1 has {both} of 30 units, A0 − A1 {one}, A1 − A0 {two}; {30 - both - one - two} are in"
        in picture.caption
    )
    shown = np.concatenate([tiles.depth for tiles in slides(picture).values()])
    assert shown.sum(0).tolist() == [one, both, two]
    assert slides(picture)["hidden_1"].dyes == (STAIN10[0], OVERLAP, STAIN10[1])


def test_divergence_takes_the_most_confused_pair_or_two_of_yours():
    seen = specimen("mlp")
    counts = seen.array("probe_confusion", epoch=5)
    either = counts + counts.T
    np.fill_diagonal(either, 0)
    pair = sorted(np.unravel_index(either.argmax(), either.shape))
    assert Divergence(seen).describe().title.startswith(f"What {pair[0]} and {pair[1]} share")
    assert "What 2 and 5 share" in Divergence(seen, pair=["5", 2]).describe().title
    with pytest.raises(BadValue, match="two different"):
        Divergence(seen, pair=[2]).describe()


def test_histories_hold_every_unit_at_every_epoch():
    seen = specimen("mlp")
    tiles = slides(Histories(seen).describe())["hidden_2"]
    values = seen.read("hidden_2", "probe_class_mean", [0, 1, 2, 5]).astype(float)
    mean = np.minimum(np.maximum(values / np.percentile(values[-1], 99.8), 0), 1.2).mean(-1)
    assert len(tiles.row) == 32 * 4
    found = tiles.grey / mean[tiles.column, tiles.unit].clip(1e-12)
    np.testing.assert_allclose(found[mean[tiles.column, tiles.unit] > 1e-3], 0.6, rtol=1e-3)


def test_histories_of_wide_layers_and_long_runs_are_gathered_and_say_so():
    picture = Histories(specimen("wide")).describe()
    tiles = slides(picture)["hidden_1"]
    assert tiles.row.max() + 1 == 200 and tiles.units[tiles.column == 0].sum() == 5000
    assert "a row is the mean of up to 25 neighbours" in picture.caption
    assert "150 of 300 epochs shown" in Histories(specimen("many epochs")).describe().caption
    assert "8 of 20 layers shown" in Histories(specimen("deep")).describe().caption
    assert list(slides(Histories(specimen("deep"), layers=["stem"]).describe())) == ["stem"]


def test_curves_end_where_the_numbers_are():
    seen = specimen("mlp")
    picture = Curves(seen).describe()
    lines = [mark for mark in of(picture, Lines) if mark.width > 2 and len(mark.points) > 1]
    assert [len(line.points) for line in lines] == [3, 4, 3, 4]  # nothing of training at epoch 0
    assert all((np.diff(line.points[:, 0]) > 0).all() for line in lines)
    assert (np.diff(lines[0].points[:, 1]) > 0).all() and (np.diff(lines[2].points[:, 1]) < 0).all()
    told = words(picture)
    assert told.count("training") == told.count("held out") == 2
    assert "95.0 %" in told and "98.0 %" in told
    assert "no loss or accuracy in this trace" in words(Curves(specimen("unjudged")).describe())


def test_confusion_has_what_is_in_rows_and_what_was_said_in_columns():
    seen = trace(chain(8, 3), ("ant", "bee", "cat"), (1,))
    counts = seen.array("probe_confusion", epoch=1)
    picture = Confusions(seen).describe()
    (field,) = of(picture, Cells)
    np.testing.assert_allclose(field.shares, np.sqrt(counts / counts.sum(1, keepdims=True)))
    texts = of(picture, Text)
    bee = [mark for mark in texts if mark.words == "bee"]
    row = next(mark for mark in bee if mark.x < field.x)
    column = next(mark for mark in bee if mark.y < field.y)
    for i, j, x, y in ((1, 0, None, row.y), (0, 1, column.x, None)):
        value = f"{counts[i, j]}"
        assert any(
            m.words == value and (x is None or abs(m.x - x) < 1) and (y is None or abs(m.y - y) < 1) for m in texts
        ) or value == "0"  # fmt: skip
    recall, precision = np.diagonal(counts) / counts.sum(1), np.diagonal(counts) / counts.sum(0)
    beside = [mark.words for mark in texts if mark.x > field.x + field.width and mark.y > field.y]
    below = [mark.words for mark in texts if mark.y > field.y + field.height and mark.x > field.x]
    assert beside == [f"{100 * v:.0f}" for v in recall]
    assert below == [f"{100 * v:.0f}" for v in precision]
    assert {"what it is", "what the network said"} <= set(words(picture))


def test_confusion_shows_the_epochs_that_are_asked_for():
    seen = specimen("binary")
    assert [w for w in words(Confusions(seen).describe()) if w.startswith("epoch")][::2] == ["epoch 0", "epoch 11"]
    picture = Confusions(seen, epochs=[2, "E_7"]).describe()
    assert [w for w in words(picture) if w.startswith("epoch")] == ["epoch 2", "epoch 7"]
    assert "2 of 12 judged epochs shown" in picture.caption


@pytest.mark.parametrize(("epochs", "ticks"), [
    (range(31), [0, 5, 10, 15, 20, 25, 30]),
    (range(12), [0, 2, 4, 6, 8, 11]),
    (range(1, 9), [1, 4, 6, 8]),
    ([3], [3]),
    ([0, 1, 2, 5], [0, 1, 2, 5]),
    ([7, 400], [7, 400]),
])  # fmt: skip
def test_ticks_are_round_epochs_that_were_recorded(epochs, ticks):
    assert round_epochs(list(epochs), 7) == ticks


def test_pictures_travel_as_plain_values():
    told = plain(Bars(np.array([[1, 2, 3, np.nan]]), ("#112233",)))
    assert told == {"is": "bars", "boxes": [[1.0, 2.0, 3.0, None]], "colours": ["#112233"], "radius": 0.0}


def test_views_are_values():
    view = Pathways(specimen("mlp"), epoch=2)
    assert replace(view, epoch=5) != view and replace(view) == view
    with pytest.raises(AttributeError):
        view.epoch = 3


def test_a_unit_that_answers_below_zero_is_not_called_silent():
    seen = trace(
        [dense("linear", 30, bends=None), dense("output", 4, dense("linear", 30), bends=None)], tuple("abcd"), (1,)
    )
    values = seen.read("linear", "probe_class_mean", [1])
    values[0, :10] *= -1
    moved = trace_with(seen, "linear", values[0])
    tiles = slides(Pathways(moved).describe())["linear"]
    np.testing.assert_array_equal(tiles.silent, (values[0] == 0).all(1)[tiles.unit])
    below = (values[0] < 0).any(1)[tiles.unit]
    assert below.any() and (tiles.grey[below] == 0).all() and (tiles.depth[below] == 0).all()


def test_the_rounding_of_a_sum_is_no_answer():
    seen = specimen("mlp")
    means = seen.read("hidden_1", "probe_class_mean", [5])[0]
    quiet = (means == 0).all(1)
    means[quiet] = -1e-9
    picture = Pathways(trace_with(seen, "hidden_1", means)).describe()
    tiles = slides(picture)["hidden_1"]
    assert quiet.any() and (tiles.silent == quiet[tiles.unit]).all()
    assert "below zero" not in picture.caption


def trace_with(seen, layer, means):
    """The same trace with other class means in one layer."""

    class Changed(type(seen.store)):
        def read(self, key, epochs, where=()):
            return means[None] if key == f"layers/{layer}/probe_class_mean" else super().read(key, epochs, where)

    store = Changed()
    store.__dict__.update(seen.store.__dict__)
    return type(seen)(store)
