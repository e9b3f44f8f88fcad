"""t-SNE by whichever library there is, many points, and given places."""

import numpy as np
import pytest

from nissl.core.layout import plane, principal
from nissl.core.neighbours import preserved
from nissl.core.projection import projection
from nissl.errors import BadValue, NisslWarning
from nissl.layouts._tsne import engines, swift
from nissl.layouts.tsne import Tsne
from tests.core.clusters import agreement, clusters

pytest.importorskip("sklearn")


def without(monkeypatch, *missing):
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name in missing else object())


def test_without_open_tsne_scikit_learn_does_it(monkeypatch):
    without(monkeypatch, "openTSNE")
    x, y = clusters(90)
    found = projection([x, x + 0.01], labels=y)
    assert all(agreement(frame.positions, y) > 0.95 for frame in found.frames)


def test_without_either_it_says_what_to_install(monkeypatch):
    without(monkeypatch, "openTSNE", "sklearn")
    x, y = clusters(90)
    with pytest.warns(NisslWarning, match=r"nissl\[maps\]"):
        found = projection(x, labels=y)
    np.testing.assert_array_equal(found.positions, projection(x, by="pca").positions)


def test_many_points_begin_from_some_of_them(monkeypatch):
    pytest.importorskip("openTSNE")
    monkeypatch.setattr(swift, "MANY", 300)
    monkeypatch.setattr(swift, "SOME", 100)
    x, y = clusters(400, 5)
    features = principal(x)
    places = [found for _, found in Tsne().steps(features, None, 0)]
    assert all(found.shape == (400, 2) for found in places)
    early = next(found for found in places if not np.array_equal(found, plane(features)))
    late = places[-1]
    assert agreement(early, y) > 0.95 and agreement(late, y) > 0.95
    monkeypatch.setattr(swift, "MANY", 10_000)
    whole = Tsne().place(features, None, 0)
    assert preserved(x, late).kept > preserved(x, whole).kept - 0.02


def test_places_to_begin_from_are_kept_at_any_scale():
    x, _ = clusters(120)
    features = principal(x)
    first = Tsne().place(features, None, 0)
    again = Tsne().place(features, first, 0)
    spread = np.sqrt((first**2).sum(1).mean())
    assert np.median(np.linalg.norm(again - first, axis=1)) < 0.1 * spread
    low = first.min(0)
    square = Tsne().place(features, (first - low) / np.ptp(first), 0)
    turned = (square - square.mean(0)) / np.sqrt(((square - square.mean(0)) ** 2).sum(1).mean())
    before = (first - first.mean(0)) / np.sqrt(((first - first.mean(0)) ** 2).sum(1).mean())
    assert np.median(np.linalg.norm(turned - before, axis=1)) < 0.5


@pytest.mark.parametrize("wrong", ["perplexity", "iterations", "warm", "jobs"])
def test_options_that_cannot_be_meant(wrong):
    with pytest.raises(BadValue, match=wrong):
        Tsne(**{wrong: 0})
