"""`nissl.profile` against means taken one example at a time."""

import functools

import hypothesis.strategies as st
import numpy as np
import pandas
import pytest
import torch
from hypothesis import given, settings
from sklearn.neural_network import MLPClassifier
from torch import nn

import nissl
from nissl.errors import BadValue, NisslWarning, NotHeard
from tests.profiling.brute import CLASSES, X, Y, answers, centred, cnn, moments, slopes, values

profile = functools.partial(nissl.profile, progress=False)
EXACT = {"rtol": 1e-5, "atol": 1e-7}


def same(found, values, groups, unit=1, **close):
    """Every layer's positions and units are those of the reference."""
    close = EXACT | close
    for name, value in values.items():
        count, mean, variance = moments(value, groups, found.groups)
        np.testing.assert_allclose(found[name], mean, **close)
        np.testing.assert_allclose(found.variance(name), variance, **close)
        np.testing.assert_array_equal(found.count(name), count)
        rest = tuple(axis for axis in range(1, value.ndim) if axis != unit % value.ndim)
        _, mean, variance = moments(value.mean(rest), groups, found.groups)
        np.testing.assert_allclose(found.mean(name, full=False), mean, **close)
        np.testing.assert_allclose(found.variance(name, full=False), variance, **close)


@pytest.mark.parametrize("batch", [1, 7, 60, 200])
def test_every_layer_has_the_mean_of_every_group(batch):
    model = cnn()
    found = profile(model, (X, Y), batch=batch)
    assert found.layers == ("0", "2", "5") and found.groups == ("0", "1", "2", "3")
    assert found["0"].dims == ("group", "channel", "y", "x") and found["0"].shape == (4, 6, 5, 4)
    assert found["5"].dims == ("group", "neuron")
    np.testing.assert_array_equal(found.counts, np.bincount(Y))
    same(found, values(model), Y.astype(str))
    assert found["2"].sel(group="3", channel=2).shape == (3, 2)


@settings(max_examples=25)
@given(st.integers(5, 70), st.integers(1, 40), st.randoms(use_true_random=False))
def test_any_column_in_any_batches(batch, levels, random):
    column = [random.choice([None, *(f"g{i}" for i in range(levels))]) for _ in X]
    if set(column) == {None}:
        column[0] = "g0"
    model = small()
    found = profile(model, X, column, batch=batch)
    assert found.groups == tuple(sorted({c for c in column if c is not None})) and found.factors == ("column",)
    same(found, values(model), column)


@functools.cache
def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(120, 3), nn.Tanh(), nn.Linear(3, 2)).eval()


GUESS = answers(cnn())
RIGHT = np.where(GUESS == Y, "right", "wrong")
SIDE = np.where(X.mean((1, 2, 3)) > 0, "light", "dark")
WORDS = {
    "label": ("label", Y.astype(str)),
    "prediction": ("prediction", GUESS.astype(str)),
    "correct": ("correct", RIGHT),
    "confusion": ("confusion", [f"{a} as {b}" for a, b in zip(Y, GUESS, strict=True)]),
    "split": (["label", "correct"], [f"{a}, {b}" for a, b in zip(Y, RIGHT, strict=True)]),
    "array": (SIDE, SIDE),
    "numbers": (Y.astype(float), Y.astype(str)),
    "flags": (Y > 1, (Y > 1).astype(str)),
    "column": (Y[:, None], Y.astype(str)),
    "tensor": (torch.from_numpy(Y), Y.astype(str)),
    "series": (pandas.Series(SIDE, name="light"), SIDE),
    "categories": (pandas.Series(pandas.Categorical(SIDE, ["light", "dark", "none"]), name="light"), SIDE),
    "two columns": ([SIDE, Y], [f"{a}, {b}" for a, b in zip(SIDE, Y, strict=True)]),
    "named": ({"side": SIDE, "who": "prediction"}, [f"{a}, {b}" for a, b in zip(SIDE, GUESS, strict=True)]),
}


@pytest.mark.parametrize("word", WORDS)
def test_groups_are_what_was_asked_for(word):
    groups, expected = WORDS[word]
    found = profile(cnn(), (X, Y), groups, batch=13)
    assert set(found.groups) == set(expected)
    assert (
        found.groups == ("light", "dark")
        if word == "categories"
        else found.groups == tuple(sorted(expected, key=order))
        or list(found.groups) == sorted(set(expected), key=order)
    )
    np.testing.assert_array_equal(found.counts, [list(expected).count(name) for name in found.groups])
    same(found, values(cnn()), expected)


def order(name):
    return name.replace("wrong", "a").replace("right", "b")


def test_factors_and_classes_have_the_names_that_were_given():
    found = profile(cnn(), (X, Y), {"side": SIDE, "said": "confusion"}, classes=["ant", "bee", "cow", "dog"])
    assert found.factors == ("side", "label", "prediction")
    assert found.levels[0][1] in ("ant", "bee", "cow", "dog")
    assert found.groups[0] == ", ".join(found.levels[0])


def test_a_missing_value_is_in_no_group():
    column = np.where(np.arange(60) % 3 == 0, np.nan, Y)
    found = profile(cnn(), X, column)
    same(found, {n: v[np.arange(60) % 3 != 0] for n, v in values(cnn()).items()}, Y[np.arange(60) % 3 != 0].astype(str))
    assert found.counts.sum() == 40
    unlabelled = np.where(np.arange(60) % 3 == 0, -100, Y)
    np.testing.assert_allclose(profile(cnn(), (X, unlabelled))["2"], found["2"])


@pytest.mark.parametrize("align", ["prediction", "label"])
def test_aligned_profiles_are_those_of_examples_moved_one_by_one(align):
    model = cnn()
    grads = slopes(model, answers(model) if align == "prediction" else Y)
    moved = values(model)
    for name, grad in grads.items():
        moved[name] = np.stack([centred(v, g, 0) for v, g in zip(moved[name], grad, strict=True)])
        assert not np.allclose(moved[name], values(model)[name])
    found = profile(model, (X, Y), align=align, batch=7)
    same(found, moved, Y.astype(str))
    assert [one.aligned for one in found.answers.values()] == [True, True, False]
    assert (np.abs(found["0"]).max((0, 2, 3)) > 0).all()  # no channel was moved out


@pytest.mark.parametrize("unit", [1, -1])
def test_alignment_follows_the_layout_and_leaves_channels_alone(unit):
    from nissl.core import alignment

    random = np.random.default_rng(2)
    for shape in [(9, 4, 5, 3), (9, 4, 7), (9, 2, 3, 4, 2), (9, 1, 1, 4)]:
        value, grad = random.normal(size=(2, *shape))
        grad[0] = 0
        grad[1] = 2.0
        grad[2, ..., 0] = np.nan
        found = alignment.centred(value, grad, unit % len(shape))
        for i, one in enumerate(found):
            np.testing.assert_array_equal(one, centred(value[i], grad[i], unit % len(shape) - 1))


def test_what_is_in_the_middle_already_stays_where_it_is():
    value, grad = np.ones((2, 3, 5, 5)), np.zeros((2, 3, 5, 5))
    grad[:, :, 2, 2] = 1
    from nissl.core.alignment import centred as fast

    np.testing.assert_array_equal(fast(value, grad, 1), value)


def test_arrays_of_any_framework_with_the_channels_last():
    random = np.random.default_rng(5)
    maps, grads = random.normal(size=(2, 30, 4, 6, 3)).astype(np.float32)
    outputs = random.normal(size=(30, 4)).astype(np.float32)
    net = nissl.Arrays({"map": maps, "output": outputs}, gradients={"map": grads})
    labels = np.arange(30) % 4
    found = profile(net, (np.arange(30), labels), batch=7)
    assert found["map"].dims == ("group", "y", "x", "neuron")
    same(found, {"map": maps.astype(float), "output": outputs.astype(float)}, labels.astype(str), unit=-1)
    found = profile(net, (np.arange(30), labels), "prediction", layers="map", align=True, batch=7)
    moved = np.stack([centred(v, g, 2) for v, g in zip(maps, grads, strict=True)])
    same(found, {"map": moved.astype(float)}, outputs.argmax(1).astype(str), unit=-1)


def test_a_folder_of_arrays_is_profiled_as_it_lies(tmp_path):
    random = np.random.default_rng(5)
    np.save(tmp_path / "one.act.npy", random.normal(size=(20, 3)))
    found = profile(str(tmp_path), np.arange(20), np.arange(20) % 2)
    np.testing.assert_allclose(found["one"][1], np.load(tmp_path / "one.act.npy")[1::2].mean(0))


def test_scikit_learn_by_its_own_classes():
    x, y = X.reshape(60, -1), np.array(["bee", "ant", "cow", "dog"])[Y]
    model = MLPClassifier((5,), max_iter=2, random_state=0)
    with pytest.warns(match="Maximum iterations"):
        model.fit(x, y)
    found = profile(model, (x, y), "confusion")
    truth = list(zip(y, model.predict(x), strict=True))
    assert set(found.levels) == set(truth)


def test_sequences_whose_first_axis_is_time():
    torch.manual_seed(0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.GRU(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.out(self.rnn(x.transpose(0, 1))[0][-1])

    x = np.random.default_rng(0).normal(size=(20, 6, 3)).astype(np.float32)
    model = Net().eval()
    with torch.no_grad():
        heard = model.rnn(torch.from_numpy(x).transpose(0, 1))[0].transpose(0, 1).double().numpy()
    found = profile(model, x, np.arange(20) % 3, batch=6)
    assert found["rnn"].dims == ("group", "position", "neuron")
    same(found, {"rnn": heard}, (np.arange(20) % 3).astype(str), unit=2)


def test_a_loader_is_streamed_and_the_model_left_as_it_was():
    model = cnn().train()
    before = [p.clone() for p in model.parameters()]
    drawn = []

    def loader():
        for start in range(0, 60, 11):
            assert model.training and torch.is_grad_enabled()
            drawn.append(start)
            yield torch.from_numpy(X[start : start + 11]), torch.from_numpy(Y[start : start + 11])

    state = torch.get_rng_state()
    found = profile(model, loader(), align=True)
    assert torch.equal(state, torch.get_rng_state()) and model.training and len(drawn) == 6
    assert all(torch.equal(a, b) and b.grad is None for a, b in zip(before, model.parameters(), strict=True))
    np.testing.assert_allclose(found["2"], profile(model, (X, Y), align=True)["2"], rtol=1e-5, atol=1e-6)


def test_values_that_are_no_numbers_are_left_out():
    random = np.random.default_rng(5)
    held = random.normal(size=(40, 3))
    held[3, 1], held[5, 2], held[7:9, 0] = np.nan, np.inf, -np.inf
    found = profile({"one": held}, np.arange(40), np.arange(40) % 3, batch=9)
    same(found, {"one": held}, (np.arange(40) % 3).astype(str))


def test_units_alone_take_examples_of_any_length():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(2, 3)

        def forward(self, x):
            return self.one(x).mean(1)

    model, x = Net(), [(torch.randn(4, n, 2), torch.tensor([0, 1, 0, 1])) for n in (3, 5)]
    found = profile(model, x, positions=False)
    rows = np.concatenate([model.one(part).detach().double().numpy().mean(1) for part, _ in x])
    np.testing.assert_allclose(found["one"], [rows[::2].mean(0), rows[1::2].mean(0)], rtol=1e-5)
    with pytest.raises(BadValue, match="positions=False"):
        profile(model, x)
    with pytest.raises(NotHeard, match="positions=True"):
        found.mean("one", full=True)


class Odd(nn.Module):
    """One of its layers says the same whatever the examples are."""

    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Linear(3, 2), nn.Linear(120, CLASSES)

    def forward(self, x):
        return self.table(torch.ones(7, 3)).sum() + self.out(x.flatten(1))


def test_what_is_not_of_examples_is_left_out_with_a_word():
    with pytest.warns(NisslWarning, match="table is left out"):
        found = profile(Odd(), (X, Y))
    assert found.layers == ("out",)
    with pytest.raises(BadValue, match="not those of examples"):
        profile(Odd(), (X, Y), layers="table")
