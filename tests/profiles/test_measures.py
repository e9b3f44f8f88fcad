"""Each measure against its definition, spelled out one unit and one class at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nissl import plugins
from nissl.errors import BadValue, NotHeard, UnknownName
from nissl.testing.specimens import specimen

Contrast, Selectivity = (plugins.load("profiles", name) for name in ("contrast", "selectivity"))
VALUES = st.one_of(st.floats(-100, 100, width=32), st.just(float("nan")), st.just(0.0))


def tables(dtype):
    return arrays(dtype, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=VALUES)


def contrast(row, sizes, against):
    """For each class, by the book."""
    found = []
    for c in range(len(row)):
        who = [o for o in range(len(row)) if not np.isnan(row[o]) and (against == "all" or o != c)]
        total = sum(sizes[o] for o in who)
        rest = sum(float(row[o]) * sizes[o] for o in who) / total if total else np.nan
        found.append(row[c] - rest)
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("against", ["others", "all"])
@pytest.mark.parametrize("weights", ["uniform", "size"])
def test_contrast_is_the_distance_from_the_mean_of_the_rest(dtype, against, weights):
    @given(tables(dtype), st.data())
    def check(mean, data):
        sizes = np.array([data.draw(st.integers(1, 60)) for _ in range(mean.shape[1])], float)
        (found,) = Contrast(against, weights).measure({"mean": mean, "count": sizes[None]})
        used = sizes if weights == "size" else np.ones_like(sizes)
        np.testing.assert_allclose(
            found, [contrast(row, used, against) for row in mean], rtol=1e-5, atol=1e-4 if dtype == np.float32 else 1e-9
        )

    check()


@given(tables(np.float64))
def test_pairs_are_differences(mean):
    (found,) = Contrast("each").measure({"mean": mean})
    for unit, c, o in np.ndindex(found.shape):
        np.testing.assert_equal(found[unit, c, o], mean[unit, c] - mean[unit, o])


@given(tables(np.float64))
def test_selectivity_is_the_best_against_the_mean_of_the_others(mean):
    index, best = Selectivity().measure({"mean": mean})
    for row, found, which in zip(mean, index, best, strict=True):
        seen = [c for c in range(len(row)) if not np.isnan(row[c])]
        if len(seen) < 2:
            assert np.isnan(found) and which == -1
            continue
        assert 0 <= found <= 1 + 1e-12
        if len({row[c] for c in seen}) == 1:
            assert (found, which) == (0, -1)
            continue
        top = max(seen, key=lambda c: row[c])
        others = np.mean([row[c] for c in seen if c != top])
        assert which == top
        np.testing.assert_allclose(found, (row[top] - others) / (abs(row[top]) + abs(others)), atol=1e-9)


def test_selectivity_of_answers_above_zero_is_the_usual_index():
    index, best = Selectivity().measure({"mean": np.array([[3.0, 1.0, 1.0], [0.0, 0.0, 5.0], [2.0, 2.0, 2.0]])})
    np.testing.assert_allclose(index, [0.5, 1.0, 0.0])
    np.testing.assert_array_equal(best, [0, 2, -1])


def test_the_trace_s_door():
    trace = specimen("mlp")
    tree = trace.profile("contrast", layers=["hidden_2", "L_output"], against="each")
    assert list(tree.children) == ["hidden_2", "output"]
    layer = tree["hidden_2"]
    assert layer["contrast"].dims == ("epoch", "neuron", "class", "other") and layer["contrast"].chunks is not None
    assert layer.attrs["measure"] == "Contrast(against='each', weights='uniform')"
    assert layer.attrs["of"] == ["probe_class_mean"] and layer.attrs["layer"] == "hidden_2"
    mean = np.asarray(trace.layer("hidden_2").probe_class_mean)
    chosen = layer["contrast"].sel(epoch=2, **{"class": "3", "other": "4"})
    np.testing.assert_array_equal(chosen, mean[2, :, 3] - mean[2, :, 4])
    assert trace["E_1":"E_2"].profile()["output"]["mean"].sizes["epoch"] == 2
    best = trace.profile(Selectivity(), chunks=None)["output"]["best"]
    np.testing.assert_array_equal(best[-1], np.where(np.ptp(mean := last(trace), 1) > 0, mean.argmax(1), -1))


def last(trace):
    return np.asarray(trace.layer("output").probe_class_mean)[-1]


@pytest.mark.parametrize(("ask", "error", "said"), [
    (lambda t: t.profile("contrats"), UnknownName, "Did you mean 'contrast'"),
    (lambda t: t.profile("contrast", again=1), BadValue, "Its options are: against, weights"),
    (lambda t: t.profile("contrast", against="all of them"), BadValue, "'others' or 'all' or 'each'"),
    (lambda t: t.profile("contrast", against="each", weights="size"), BadValue, "two classes at a time"),
    (lambda t: t.profile(Contrast(), against="all"), BadValue, "made already"),
    (lambda t: t.profile("mean", probe=False), NotHeard, "were not recorded in training"),
    (lambda t: t.profile("contrast", weights="size"), NotHeard, "class_mean and class_count were not recorded"),
    (lambda t: t.profile("mean", layers="hidden_9"), KeyError, "Did you mean"),
])  # fmt: skip
def test_what_cannot_be_meant_is_said(ask, error, said):
    with pytest.raises(error, match=said):
        ask(specimen("mlp"))


def test_a_trace_without_classes_says_what_to_record():
    with pytest.raises(NotHeard, match="Record with classes="):
        specimen("no classes").profile()
