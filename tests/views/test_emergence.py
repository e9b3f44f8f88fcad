"""How structures come about, counted anew from the trace."""

import numpy as np
import pytest

from nissl.core.marks import Bars, Lines
from nissl.errors import BadValue, NotHeard
from nissl.testing.specimens import specimen
from nissl.views.emergence import Emergence
from tests.views.seeing import of, words


def tops(seen, epoch, number, count):
    """The units, as (layer, unit), that add most to a class above what they add to the others."""
    found = []
    for layer in ("hidden_1", "hidden_2"):
        table = seen.read(layer, "attribution", [epoch])[0].astype(float)
        others = np.maximum(np.delete(table, number, 1), 0).mean(1)
        found += [(value, layer, unit) for unit, value in enumerate(table[:, number] - others)]
    return {(layer, unit) for _, layer, unit in sorted(found)[-count:]}


def test_lines_are_what_structures_have_in_common_with_the_last_ones():
    seen = specimen("followed")
    picture = Emergence(seen).describe()
    inner = [m for m in of(picture, Lines) if len(m.points) == 4]
    classes, (mean, accuracy) = [m for m in inner if m.width < 2], [m for m in inner if m.width > 2]
    last = [tops(seen, 5, k, 10) for k in range(10)]
    expected = np.array(
        [[len(tops(seen, e, k, 10) & last[k]) / len(tops(seen, e, k, 10) | last[k]) for e in (0, 1, 2, 5)] for k in range(10)]
    )  # fmt: skip
    for line, values in zip(classes, expected, strict=True):
        np.testing.assert_allclose(line.points[:, 1], 490 - 400 * values)
    np.testing.assert_allclose(mean.points[:, 1], 490 - 400 * expected.mean(0))
    np.testing.assert_allclose(accuracy.points[:, 1], 490 - 400 * seen.scalars["probe_accuracy"].values)
    assert accuracy.dashed and not mean.dashed
    np.testing.assert_allclose(mean.points[:, 0], 80 + 600 * np.array([0, 1, 2, 5]) / 5)


def test_bars_are_the_events_of_the_trace():
    seen = specimen("followed cnn")
    picture = Emergence(seen).describe()
    rows = seen.structure_events()
    bars = [m for m in of(picture, Bars) if m.radius == 1]
    assert len(bars) == rows[rows.event != "owner"].event.nunique() >= 2
    for mark, kind in zip(bars, ("birth", "death", "freeze"), strict=False):
        counts = rows[rows.event == kind].groupby("epoch").size()
        np.testing.assert_allclose(mark.boxes[:, 3] / mark.boxes[:, 3].max(), counts / counts.max())
        assert f"{counts.max():,}" in words(picture)
        assert f"{counts.sum()} {kind}s" in picture.caption or kind == "freeze"


def test_the_caption_says_how_far_structures_were_when_accuracy_was_reached():
    seen = specimen("followed")
    said = "at epoch 5, structures have 100 % in common"
    assert said in Emergence(seen).describe().caption
    told = Emergence(specimen("followed unjudged")).describe()
    assert "accuracy" not in told.caption and "accuracy" not in words(told)
    one = Emergence(specimen("followed at last")).describe()
    assert "One epoch holds structures" in one.caption and words(one).count("none that lasted") == 3


def test_without_structures_it_says_how_to_record_them():
    with pytest.raises(NotHeard, match=r"quantities=\[\.\.\., 'structures'\]"):
        Emergence(specimen("mlp")).describe()
    for wrong in ({"lasting": 0}, {"rank": "best"}, {"size": "faithful>=0.9"}):
        with pytest.raises(BadValue, match=next(iter(wrong))):
            Emergence(specimen("followed"), **wrong).describe()
