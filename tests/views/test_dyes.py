"""What the dye of class pathways means, counted anew from the trace."""

import numpy as np
import pytest

from nissl.core.marks import Ribbons
from nissl.errors import BadValue, NotHeard
from nissl.testing.specimens import chain, specimen, trace
from nissl.views.pathways import Pathways
from tests.views.seeing import of, slides, words


def added(seen, layer, epoch=5):
    return np.maximum(np.nan_to_num(seen.read(layer, "attribution", [epoch])[0].astype(float)), 0)


def test_the_causal_dye_is_what_a_unit_adds_to_a_class():
    seen = specimen("followed")
    picture = Pathways(seen).describe()
    for layer in ("hidden_1", "hidden_2"):
        tiles, table = slides(picture)[layer], added(seen, layer)
        most, share = table.max(1), table / table.sum(1, keepdims=True).clip(1e-12)
        own = 1 + (share * np.log(share.clip(1e-12))).sum(1) / np.log(10)
        depth = np.sqrt(np.minimum(most / np.percentile(most, 99), 1))
        expected = np.where(most > 0, 1.3 * depth * np.sqrt(own.clip(0)), 0)[tiles.unit]
        np.testing.assert_allclose(tiles.depth.max(1), expected, atol=1e-6)
        dyed = tiles.depth.max(1) > 0
        np.testing.assert_array_equal(tiles.depth.argmax(1)[dyed], table.argmax(1)[tiles.unit][dyed])
        assert ((tiles.depth > 0).sum(1) <= 1).all()
        np.testing.assert_array_equal(tiles.silent, (most == 0)[tiles.unit])
        shared = np.where(most > 0, 0.9 * depth * (1 - np.sqrt(own.clip(0))), 0)[tiles.unit]
        np.testing.assert_allclose(tiles.grey, shared, atol=1e-6)


def test_of_few_classes_each_dye_goes_with_what_is_added_to_its_class():
    seen = specimen("followed")
    tiles = slides(Pathways(seen, classes=[3, 8]).describe())["hidden_1"]
    table = added(seen, "hidden_1")[tiles.unit][:, [3, 8]]
    both = (table > 1e-4).all(1) & (tiles.depth > 0).all(1)
    assert both.sum() > 5
    np.testing.assert_allclose(tiles.depth[both, 0] / tiles.depth[both, 1], table[both, 0] / table[both, 1], rtol=1e-5)
    assert (tiles.depth[table == 0] == 0).all()


def test_early_attribution_is_pale_against_the_last_epoch():
    seen = specimen("followed")
    first, last = (slides(Pathways(seen, epoch=e).describe())["hidden_1"] for e in (0, 5))
    np.testing.assert_array_equal(first.unit, last.unit)
    assert first.depth.sum() < 0.7 * last.depth.sum()


def test_units_lie_by_the_class_that_they_add_most_to():
    seen = specimen("followed")
    tiles = slides(Pathways(seen).describe())["hidden_2"]
    table = added(seen, "hidden_2")[tiles.unit]
    owner = np.where(table.max(1) > 0, table.argmax(1), 10)
    assert (np.diff(owner) >= 0).all()


@pytest.mark.parametrize(("name", "asked", "dye"), [
    ("followed", None, "causal"), ("followed", "causal", "causal"), ("followed", "contrast", "contrast"),
    ("mlp", None, "contrast"), ("mlp", "contrast", "contrast"),
])  # fmt: skip
def test_the_dye_is_causal_where_there_is_attribution_and_named(name, asked, dye):
    picture = Pathways(specimen(name), dye=asked).describe()
    causal = dye == "causal"
    assert ("by attribution" in picture.title) == causal != ("by activity" in picture.title)
    said = "what each unit adds to a class's log-odds (attribution patching on 300 probe examples)"
    assert (said in picture.caption) == causal != ("not proved to matter" in picture.caption)
    assert ("adds to none" in words(picture)) == causal != ("never answers" in words(picture))


def test_the_contrast_of_a_trace_is_the_same_whether_or_not_it_has_attribution():
    with_, without = (Pathways(specimen(name), dye="contrast").describe() for name in ("followed", "mlp"))
    assert with_.to_dict() == without.to_dict()


def test_a_causal_dye_that_cannot_be_had_says_how_to_record_it():
    with pytest.raises(NotHeard, match=r"quantities=\[\.\.\., 'structures'\]"):
        Pathways(specimen("mlp"), dye="causal").describe()
    late = specimen("followed at last")
    with pytest.raises(NotHeard, match="No structures were recorded at epoch 4, only at E_5; dye='contrast'"):
        Pathways(late, epoch=4, dye="causal").describe()
    assert "by activity" in Pathways(late, epoch=4).describe().title
    assert "by attribution" in Pathways(late).describe().title
    with pytest.raises(BadValue, match="dye='contrasts'"):
        Pathways(late, dye="contrasts").describe()


def test_a_layer_without_attribution_is_dyed_by_activity_and_says_so():
    seen = trace(chain(20, 12, 4), tuple("abcde"), (1,), followed=(1,))  # the last layer is no class's output
    picture = Pathways(seen).describe()
    assert "of output there is no attribution: there dye is activity, not proved to matter" in picture.caption
    assert "4 neurons, by activity" in words(picture) and "12 neurons" in words(picture)
    activity = Pathways(seen, dye="contrast").describe()
    np.testing.assert_array_equal(slides(picture)["output"].depth, slides(activity)["output"].depth)


def test_paths_of_the_causal_dye_join_units_that_add_to_the_class():
    seen = specimen("followed")
    picture = Pathways(seen, classes=[3], ribbons=10_000).describe()
    (ribbons,) = of(picture, Ribbons)
    adds = [int((added(seen, layer)[:, 3] > 0).sum()) for layer in ("hidden_1", "hidden_2")]
    answers = [seen.read(layer, "probe_class_mean", [5])[0][:, 3] > 0 for layer in ("hidden_1", "hidden_2")]
    there = [a & (added(seen, layer)[:, 3] > 0) for a, layer in zip(answers, ("hidden_1", "hidden_2"), strict=True)]
    assert len(ribbons.start) == there[0].sum() * there[1].sum() + there[1].sum()
    assert "between units that add to the class" in picture.caption and min(adds) > 0
    tiles = slides(picture)
    for start in ribbons.start:
        near = [t for t in tiles.values() if np.isclose(t.centres() + 0.5 * np.array(t.across), start).all(1).any()]
        cell = np.isclose(near[0].centres() + 0.5 * np.array(near[0].across), start).all(1).argmax()
        assert added(seen, near[0].name)[near[0].unit[cell], 3] > 0
