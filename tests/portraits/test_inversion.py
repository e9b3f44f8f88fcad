"""What is found of an input from a layer, and inputs that move to what a layer sees in them."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 3))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).uniform(-1, 1, (3, 1, 8, 8)).astype(np.float32)


def test_an_early_layer_keeps_an_input_and_a_late_one_forgets_it(net, x):
    early = nissl.invert(net, x, "0", steps=250, **QUIET)
    late = nissl.invert(net, x, "4", steps=250, **QUIET)
    told = nissl.network(net)
    for found, layer in ((early, "0"), (late, "4")):
        wanted, reached = (
            told.probe(part.astype(np.float32), [layer])[layer].reshape(3, -1) for part in (x, found.pictures)
        )
        np.testing.assert_allclose(
            found.scores, -((reached - wanted) ** 2).sum(1) / (wanted**2).sum(1), rtol=1e-3, atol=1e-7
        )
    assert (early.scores > -0.02).all()
    assert (late.scores > -0.02).all()
    close, far = (np.abs(found.pictures - x).mean() for found in (early, late))
    assert close < 0.15 < far  # the same answer, of other pictures
    assert early.targets == ("0", "1", "2")
    assert early.metric == "match"


def test_the_inputs_mean_gives_nothing_away(net, x):
    """Inputs that are all alike come out of outputs alone no better than others."""
    found = nissl.invert(net, np.repeat(x[:1], 8, 0), "4", steps=60, **QUIET)
    assert np.abs(np.corrcoef(found.pictures[0].ravel(), x[0].ravel())[0, 1]) < 0.6


def test_a_dream_raises_what_is_seen_and_stays_near(net, x):
    told = nissl.network(net)

    def energy(pictures):
        return (told.probe(pictures.astype(np.float32), ["0"])["0"] ** 2).reshape(len(pictures), -1).mean(1)

    found = nissl.dream(net, x, "0", steps=20, **QUIET)
    np.testing.assert_allclose(found.scores, energy(found.pictures), rtol=1e-4)
    assert (found.scores > 1.2 * energy(x)).all()
    near = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(found.pictures, x, strict=True)]
    assert min(near) > 0.5
    longer = nissl.dream(net, x, "0", steps=60, **QUIET)
    assert (longer.scores > found.scores).all()


def test_a_dream_of_one_unit(net, x):
    found = nissl.dream(net, x, "0", unit=5, steps=20, **QUIET)
    told = (
        nissl.network(net).probe(np.concatenate([x, found.pictures.astype(np.float32)]), ["0"])["0"][:, 5].mean((1, 2))
    )
    np.testing.assert_allclose(found.scores, told[3:], rtol=1e-4)
    assert (told[3:] > told[:3]).all()


@pytest.mark.parametrize(("call", "said"), [
    (lambda net, x: nissl.invert(net, x, "9"), "no layer '9'"), (lambda net, x: nissl.dream(net, x, "9"), "no layer '9'"),
    (lambda net, x: nissl.dream(net, x, "0", unit=12), "units 0 to 11"), (lambda net, x: nissl.dream(net, x, "0", steps=0), "steps=0"),
    (lambda net, x: nissl.invert(net, x * np.nan, "0"), "finite"), (lambda net, x: nissl.invert(net, x, "0", steps=-1), "steps=-1"),
    (lambda net, x: nissl.invert(net, x, "0", data=np.zeros((9, 1, 6, 6))), "shape"),
    (lambda net, x: nissl.dream(net, x[:0], "0"), "empty"),
])  # fmt: skip
def test_what_cannot_be_meant_is_said_in_words(net, x, call, said):
    with pytest.raises((ValueError, LookupError), match=said):
        call(net, x)


def test_all_inputs_are_taken_however_many():
    x = np.random.default_rng(1).uniform(-1, 1, (4100, 3)).astype(np.float32)
    torch.manual_seed(0)
    for call in (nissl.invert, nissl.dream):
        assert len(call(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), x, "0", steps=1, **QUIET)) == 4100
