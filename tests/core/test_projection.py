"""Samples as points: groups are found again, the same bytes, frames that stay put, new samples among the old."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nissl
from nissl.core.preservation import jump
from nissl.errors import BadValue, NisslWarning, NotHeard, UnknownKey, UnknownName
from tests.core.clusters import agreement, clusters, drifting

NEEDS = {"tsne": "sklearn", "umap": "umap", "pacmap": "pacmap"}


@pytest.fixture(scope="module")
def planted():
    x, y = clusters()
    return nissl.projection(x, labels=y)


@pytest.mark.parametrize("by", ["tsne", "pca", "umap", "pacmap"])
def test_planted_groups_are_found_again(by):
    pytest.importorskip(NEEDS.get(by, "numpy"))
    x, y = clusters(120)
    found = nissl.projection(x, labels=y, by=by)
    assert found.positions.shape == (120, 2)
    assert agreement(found.positions, y) > 0.95


def test_the_same_seed_is_the_same_bytes(planted):
    x, y = clusters()
    assert nissl.projection(x, labels=y).positions.tobytes() == planted.positions.tobytes()


def test_every_feature_counts_alike_and_constant_ones_count_nothing(planted):
    x, y = clusters()
    scaled = np.concatenate([x * np.logspace(-3, 3, x.shape[1]) + 5, np.full((len(x), 2), 7.0)], 1)
    found = nissl.projection(scaled, by="pca")
    assert found.features.shape == x.shape
    np.testing.assert_allclose(found.features, nissl.projection(x, by="pca").features, atol=1e-3)
    np.testing.assert_allclose(found.features.std(0), 1, atol=1e-3)
    assert agreement(found.positions, y) > 0.95


def test_many_features_are_placed_by_fifty_components():
    x = np.random.default_rng(0).normal(size=(80, 300))
    x[:40] += 2
    found = nissl.projection(x, by="pca")
    assert found.features.shape == (80, 300)
    assert agreement(found.positions, np.arange(80) >= 40) > 0.95


# over time


@pytest.fixture(scope="module")
def frames():
    moments, labels = drifting()
    return nissl.projection(moments, labels=labels), moments


def test_frames_stay_put_and_keep_their_neighbours(frames):
    found, moments = frames
    alone = [nissl.projection(one, seed=seed) for seed, one in enumerate(moments)]
    quality = found.quality
    assert quality.jump < 0.1
    assert quality.jump < 0.5 * jump([one.positions for one in alone])
    assert quality.kept >= 0.95 * np.mean([one.quality.kept for one in alone])
    assert [frame.name for frame in found.frames] == ["1", "2", "3", "4"]


def test_the_last_moment_is_drawn_as_if_alone_and_forward_the_first(frames):
    found, moments = frames
    np.testing.assert_array_equal(found.positions, nissl.projection(moments[-1]).positions)
    forward = nissl.projection(moments[:3], forward=True)
    np.testing.assert_array_equal(forward.frames[0].positions, nissl.projection(moments[0]).positions)
    fewer = nissl.projection(moments[:2], forward=True)
    for one, other in zip(fewer.frames, forward.frames[:2], strict=True):  # what is drawn already stays
        np.testing.assert_array_equal(one.positions, other.positions)


def test_moments_by_name(frames):
    found, _ = frames
    assert found.frame("2") is found.frames[1]
    assert found.frame() is found.frames[-1]
    with pytest.raises(UnknownName, match=r"no moment '9'.*1, 2, 3, 4"):
        found.frame("9")


def test_pca_over_time_is_turned_onto_the_last(frames):
    _, moments = frames
    turned = nissl.projection(moments, by="pca")
    alone = [nissl.projection(one, by="pca").positions for one in moments]
    assert turned.quality.jump <= jump(alone) + 1e-9


# new samples


def test_new_samples_come_among_their_like_and_known_ones_where_they_are(planted):
    x, y = clusters()
    new, kinds = clusters(60, seed=7)
    places = planted.transform(new)
    near = np.linalg.norm(places[:, None] - planted.positions, axis=2).argmin(1)
    assert (y[near] == kinds).mean() > 0.95
    spread = np.ptp(planted.positions)
    assert np.abs(planted.transform(x[:20]) - planted.positions[:20]).max() < 0.02 * spread
    with pytest.raises(BadValue, match=r"shape \(3,\)"):
        planted.transform(np.zeros((4, 3)))


def test_previews_come_before_the_answer():
    pytest.importorskip("openTSNE")
    seen = []
    x, _ = clusters(100)
    found = nissl.projection(x, preview=seen.append)
    assert len(seen) > 5 and all(one.shape == (100, 2) for one in seen)
    assert not np.array_equal(seen[0], found.positions)


# hostile


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("by", ["tsne", "pca"])
def test_few_samples(count, by):
    found = nissl.projection(np.random.default_rng(0).normal(size=(count, 3)), by=by)
    assert found.positions.shape == (count, 2) and np.isfinite(found.positions).all()
    assert len(np.unique(found.positions.round(9), axis=0)) == count
    str(found.quality)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 99))
def test_any_numbers_are_placed(count, width, seed):
    values = np.random.default_rng(seed).integers(-2, 3, (count, width)).astype(float)
    values[0, 0] += 0.5  # something varies
    found = nissl.projection(values, by="pca")
    assert np.isfinite(found.positions).all()
    same = np.flatnonzero((values == values[1]).all(1))
    assert np.ptp(found.positions[same], axis=0).max() < 1e-4


def test_duplicates_fall_together_or_near():
    x, _ = clusters(40)
    found = nissl.projection(np.repeat(x, 3, 0))
    assert np.isfinite(found.positions).all()
    alike = found.positions.reshape(40, 3, 2)
    assert np.median(np.linalg.norm(alike - alike.mean(1, keepdims=True), axis=2)) < 0.2 * found.positions.std()


def test_nan_is_refused_with_its_rows():
    x, _ = clusters(30)
    x[[4, 17], 2] = np.nan, np.inf
    with pytest.raises(BadValue, match=r"2 of 30 samples.*rows 4, 17"):
        nissl.projection(x)
    with pytest.raises(BadValue, match=r"at late: rows 4"):
        nissl.projection({"early": clusters(30)[0], "late": x})


def test_a_dead_layer_is_said_and_falls_together():
    with pytest.warns(NisslWarning, match="all 20 samples are alike"):
        found = nissl.projection(np.full((20, 4), 3.0))
    assert (found.positions == 0).all()


@pytest.mark.parametrize(("wrong", "said"), [
    (lambda x: {"source": []}, "empty"),
    (lambda x: {"source": np.zeros((0, 3))}, "no sample"),
    (lambda x: {"source": x[:, 0]}, r"\(sample, feature\)"),
    (lambda x: {"source": x.astype(str)}, "numbers"),
    (lambda x: {"source": [x, x[:9]]}, "same samples"),
    (lambda x: {"source": x, "labels": [1, 2]}, "one for each sample"),
    (lambda x: {"source": x, "labels": np.full(len(x), 0.5)}, "labels are classes"),
    (lambda x: {"source": x, "labels": np.arange(len(x)), "classes": ["a", "b"]}, "2 classes"),
    (lambda x: {"source": x, "labels": ["c"] * len(x), "classes": ["a", "b"]}, "lacks c"),
    (lambda x: {"source": x, "epochs": 3}, "those of a trace"),
    (lambda x: {"source": x, "data": x}, "labels="),
    (lambda x: {"source": x, "batch": 0}, "batch=0"),
    (lambda x: {"source": x, "by": "nonsense"}, "no 'nonsense'"),
    (lambda x: {"source": x, "by": "pca", "wrong": 1}, "wrong"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(wrong, said):
    x, _ = clusters(12)
    with pytest.raises((BadValue, UnknownName), match=said):
        nissl.projection(**wrong(x))


def test_labels_may_be_names_and_missing():
    x, y = clusters(30)
    named = nissl.projection(x, labels=np.array(["b", "a", "c"])[y], by="pca")
    assert named.classes == ("a", "b", "c")
    np.testing.assert_array_equal(named.labels, np.array([1, 0, 2])[y])
    y[:3] = -100
    assert (nissl.projection(x, labels=y, by="pca").labels[:3] == -1).all()


# models and traces


def test_a_model_a_layer_and_checkpoints():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x, y = clusters(90)
    net = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    found = nissl.projection(net, (x, y), by="pca")
    assert found.samples.layer == "0"
    said = net[:2](torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found.frames[-1].moment.values, said, atol=1e-6)
    np.testing.assert_array_equal(found.predicted, net(torch.from_numpy(x)).argmax(1).numpy())
    np.testing.assert_array_equal(found.labels, y)
    assert np.abs(found.transform(x[:5]) - found.positions[:5]).max() < 0.05 * np.ptp(found.positions)

    def checkpoints():
        for step in range(3):
            with torch.no_grad():
                net[0].weight.mul_(1.5)
            yield f"step {step}", net

    several = nissl.projection(checkpoints(), (torch.from_numpy(x), torch.from_numpy(y)), "2", by="pca")
    assert [frame.name for frame in several.frames] == ["step 0", "step 1", "step 2"]
    assert [frame.moment.network is not None for frame in several.frames] == [False, False, True]
    assert not np.allclose(several.frames[0].moment.values, several.frames[1].moment.values)
    with pytest.raises(UnknownName, match="no layer 'no'"):
        nissl.projection(net, (x, y), "no")
    with pytest.raises(BadValue, match="data"):
        nissl.projection(net)


def test_a_trace_that_recorded_samples():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x, y = map(torch.from_numpy, clusters(60))
    net = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    quantities = ("activation", "samples", "predictions")
    with nissl.record(net, classes=["a", "b", "c"], probe=(x, y), quantities=quantities, progress=False) as recorder:
        for _ in recorder.epochs(3):
            for xb, yb in recorder.batches([(x, y)]):
                torch.nn.functional.cross_entropy(net(xb), yb).backward()
                optimizer.step()
                optimizer.zero_grad()
    trace = recorder.trace
    found = nissl.projection(trace, by="pca")
    assert [frame.moment.epoch for frame in found.frames] == [0, 1, 2, 3]
    assert found.samples.layer == "0" and found.classes == ("a", "b", "c") and not found.samples.live
    np.testing.assert_array_equal(found.labels, y)
    np.testing.assert_array_equal(found.predicted, net(x).argmax(1).numpy())
    np.testing.assert_allclose(found.frames[-1].moment.values, net[:2](x).detach(), atol=5e-3)
    chosen = nissl.projection(trace, (x, y), "2", by="pca", epochs=["E_1", 3])
    assert [frame.name for frame in chosen.frames] == ["epoch 1", "epoch 3"] and chosen.frame(3) is chosen.frames[1]
    with pytest.raises(UnknownKey, match="Epoch 9"):
        nissl.projection(trace, epochs=9)
    with pytest.raises(BadValue, match="60 samples, the data 5"):
        nissl.projection(trace, (x[:5], y[:5]))


def test_a_trace_without_samples_says_how_to_record_them():
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(2, 2)
    with nissl.record(net, classes=2, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for xb, yb in recorder.batches([(torch.zeros(4, 2), torch.zeros(4, dtype=torch.long))]):
                torch.nn.functional.cross_entropy(net(xb), yb).backward()
    with pytest.raises(NotHeard, match="quantities="):
        nissl.projection(recorder.trace)
