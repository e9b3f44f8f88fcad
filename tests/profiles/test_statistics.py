"""Tests, effects and intervals against scipy's, and against their definitions spelled out."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

import nissl
from nissl import plugins
from nissl.errors import BadValue
from tests.profiles.recorded import whole, written

xarray = pytest.importorskip("xarray")

Significance, Effect, Interval, Variance, Count, Dead, Saturation = (
    plugins.load("profiles", name)
    for name in ("significance", "effect", "interval", "variance", "count", "dead", "saturation")
)
SIZES = (5, 12, 3, 40)


def examples(seed=0, sizes=SIZES, units=6):
    """Of each group the values, (example, unit), with means and spreads of their own."""
    random = np.random.default_rng(seed)
    return [random.normal(random.normal(size=units), 0.2 + random.random(units), (n, units)) for n in sizes]


def responses(groups):
    return {
        "mean": np.stack([g.mean(0) for g in groups], -1),
        "std": np.stack([g.std(0) for g in groups], -1),
        "count": np.array([[len(g) for g in groups]], float),
    }


def said(measure, groups):
    return dict(zip(measure.gives, measure.measure(responses(groups)), strict=True))


def test_two_classes_are_compared_by_welchs_test():
    groups = examples()
    found, effect = said(Significance("each"), groups), said(Effect("each"), groups)["effect"]
    bounds = said(Interval("each", of="contrast", confidence=0.9), groups)
    for i, j in np.ndindex(4, 4):
        if i == j:
            assert (
                (found["p"][:, i, i] == 1).all() and (found["q"][:, i, i] == 1).all() and (effect[:, i, i] == 0).all()
            )
            continue
        expected = stats.ttest_ind(groups[i], groups[j], equal_var=False)
        np.testing.assert_allclose(found["t"][:, i, j], expected.statistic)
        np.testing.assert_allclose(found["p"][:, i, j], expected.pvalue, rtol=1e-7)
        low, high = expected.confidence_interval(0.9)
        np.testing.assert_allclose(bounds["low"][:, i, j], low)
        np.testing.assert_allclose(bounds["high"][:, i, j], high)
        free = len(groups[i]) + len(groups[j]) - 2
        spread = sum(g.var(0, ddof=1) * (len(g) - 1) for g in (groups[i], groups[j])) / free
        d = (groups[i].mean(0) - groups[j].mean(0)) / np.sqrt(spread)
        np.testing.assert_allclose(effect[:, i, j], d * (1 - 3 / (4 * free - 1)))


@pytest.mark.parametrize("against", ["others", "all"])
@pytest.mark.parametrize("weights", ["uniform", "size"])
def test_a_class_is_compared_with_the_rest_by_the_variances_of_all(against, weights):
    groups = examples()
    found, effect = said(Significance(against, weights), groups), said(Effect(against, weights), groups)["effect"]
    bounds = said(Interval(against, weights, of="contrast"), groups)
    for g in range(4):
        share = np.array([n if weights == "size" else 1.0 for n in SIZES])
        share = np.where((np.arange(4) != g) | (against == "all"), share, 0)
        factors = (np.arange(4) == g) - share / share.sum()
        difference = sum(f * x.mean(0) for f, x in zip(factors, groups, strict=True))
        parts = [f**2 * x.var(0, ddof=1) / len(x) for f, x in zip(factors, groups, strict=True)]
        error = np.sqrt(sum(parts))
        free = error**4 / sum(part**2 / (len(x) - 1) for part, x in zip(parts, groups, strict=True))
        np.testing.assert_allclose(found["t"][:, g], difference / error)
        np.testing.assert_allclose(found["p"][:, g], 2 * stats.t.sf(np.abs(difference / error), free), rtol=1e-7)
        np.testing.assert_allclose(bounds["low"][:, g], difference - error * stats.t.ppf(0.975, free))
        within = sum(x.var(0, ddof=1) * (len(x) - 1) for x in groups) / (sum(SIZES) - 4)
        np.testing.assert_allclose(effect[:, g], difference / np.sqrt(within) * (1 - 3 / (4 * (sum(SIZES) - 4) - 1)))


def test_means_have_students_interval_and_variances_are_unbiased():
    groups = examples()
    bounds, variance = said(Interval(confidence=0.99), groups), said(Variance(), groups)["variance"]
    for g, some in enumerate(groups):
        low, high = stats.t.interval(0.99, len(some) - 1, some.mean(0), stats.sem(some))
        np.testing.assert_allclose(bounds["low"][:, g], low)
        np.testing.assert_allclose(bounds["high"][:, g], high)
        np.testing.assert_allclose(variance[:, g], some.var(0, ddof=1))
    assert (said(Count(), groups)["count"] == SIZES).all()


@settings(max_examples=50)
@given(
    st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=12), st.sampled_from(["bh", "by"])
)
def test_many_tests_are_corrected_as_scipy_does(p, how):
    from nissl.profiles._comparing.student import corrected

    p = np.array(p)
    found = corrected(p[None], how)[0]
    some = p[~np.isnan(p)]
    if len(some):
        np.testing.assert_allclose(found[~np.isnan(p)], stats.false_discovery_control(some, method=how), rtol=1e-12)
    assert (np.isnan(found) == np.isnan(p)).all()


def test_holm_and_bonferroni_by_the_book():
    from nissl.profiles._comparing.student import corrected

    p = np.array([[0.01, 0.04, np.nan, 0.03, 0.005]])
    np.testing.assert_allclose(corrected(p, "bonferroni"), [[0.04, 0.16, np.nan, 0.12, 0.02]])
    np.testing.assert_allclose(corrected(p, "holm"), [[0.03, 0.06, np.nan, 0.06, 0.02]])


def test_where_there_is_no_difference_few_are_called_different():
    random = np.random.default_rng(1)
    groups = [random.exponential(size=(80, 3000)) for _ in range(5)]  # skewed as answers are
    found = said(Significance(), groups)
    assert abs((found["p"] < 0.05).mean() - 0.05) < 0.01 and (found["q"] < 0.05).mean() < 1e-3
    groups[2][:, :300] += 1
    q = said(Significance(), groups)["q"][:, 2] < 0.05
    assert q[:300].mean() > 0.95 and q[300:].mean() < 0.02


def test_what_never_varies_differs_surely_or_not_at_all():
    groups = [np.zeros((4, 3)), np.zeros((5, 3)), np.zeros((3, 3))]
    groups[1][:, 1] = 2.0
    groups[0][:, 2] = 0.1 + 1e-17
    found, effect = said(Significance(), groups), said(Effect(), groups)["effect"]
    assert (found["p"][0] == 1).all() and (found["t"][0] == 0).all() and (effect[0] == 0).all()
    assert found["p"][1, 1] == 0 and np.isposinf(effect[1, 1]) and np.isneginf(effect[1, 0])
    mean = np.full((2, 3), 0.3, np.float32)
    mean[1, 1] = np.nextafter(mean[1, 1], np.float32(1))  # a rounding of the mean is no difference
    rounded = {"mean": mean, "std": np.zeros((2, 3), np.float32), "count": np.full((1, 3), 9.0)}
    assert (Significance().measure(rounded)[1] == 1).all() and (Effect().measure(rounded)[0] == 0).all()


def test_one_example_has_no_variance_and_is_left_out():
    groups = examples()
    lone = [*groups, np.full((1, 6), 99.0)]
    for measure in (
        Significance("others"),
        Significance("all", "size"),
        Effect(),
        Interval(of="contrast"),
        Interval(),
        Variance(),
    ):
        for name, table in said(measure, lone).items():
            assert np.isnan(table[:, 4]).all()
            np.testing.assert_allclose(table[:, :4], said(measure, groups)[name])


def test_dead_and_saturated_units():
    random = np.random.default_rng(2)
    values = random.normal(size=(3, 50, 4))
    values[..., 0] = 0
    values[..., 1] = 0.7
    values[1, :, 2] = values[0, :, 2] = values[2, :, 2] = np.sign(values[0, :, 2])  # always at a bound
    values[..., 3] = np.tanh(0.01 * values[..., 3])
    groups = list(values)
    np.testing.assert_array_equal(said(Dead(1e-9), groups)["dead"], [True, True, False, False])
    saturation = said(Saturation(), groups)["saturation"]
    np.testing.assert_allclose(saturation, (values**2).mean((0, 1)))
    assert saturation[2] > 0.999 and saturation[3] < 0.001
    sigmoid = said(Saturation(0, 1), [(g + 1) / 2 for g in groups])["saturation"]
    np.testing.assert_allclose(sigmoid, saturation)


def test_a_trace_tells_them_epoch_by_epoch_among_all_units_however_it_is_cut(run_path):
    written(run_path).close()
    trace = nissl.open(run_path)
    cut = trace.profile("significance", chunks={"neuron": 7, "epoch": 3})["conv%2F1"]
    held = {name: whole(f"class_{name}")[5] for name in ("mean", "std")} | {"count": whole("class_count")[5][None]}
    for name, table in zip("tpq", Significance().measure(held), strict=True):
        np.testing.assert_allclose(cut[name][5], table, rtol=1e-5)
    xarray.testing.assert_identical(cut.compute(), trace.profile("significance", chunks=None)["conv%2F1"])
    pairs = trace.profile("effect", against="each")["output"]["effect"]
    assert pairs.dims == ("epoch", "neuron", "class", "other")


WRONG = [
    (lambda: Significance(correction="fdr"), "'bh' or 'by'"),
    (lambda: Effect(against="rest"), "'others' or 'all'"),
    (lambda: Interval(of="median"), "'mean' or 'contrast'"),
    (lambda: Interval(confidence=95), "a share such as 0.95"),
    (lambda: Saturation(1, 0), "the lower one first"),
]


@pytest.mark.parametrize(("call", "match"), WRONG)
def test_what_cannot_be_meant_says_what_to_do(call, match):
    with pytest.raises(BadValue, match=match):
        call()
