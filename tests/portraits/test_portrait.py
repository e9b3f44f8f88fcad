"""Portraits of networks whose wishes are known, and of trained ones."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl
import nissl.errors
from nissl.data.digits import Digits

PLAIN = {"shift": 0, "turn": 0, "zoom": 0, "noise": 0, "rough": 0}
QUIET = {"progress": False}


def cosine(a, b):
    a, b = np.ravel(a), np.ravel(b)
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def linear(inputs=12, outputs=3, seed=0):
    torch.manual_seed(seed)
    return nn.Linear(inputs, outputs)


@pytest.fixture(scope="module")
def digits():
    return Digits().load()


def trained(splits, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 32), nn.ReLU(),
                          nn.Linear(32, 10))  # fmt: skip
    x, y = (torch.from_numpy(part) for part in splits.train)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(20):
        for part in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimizer.step()
    return model


@pytest.fixture(scope="module")
def two(digits):
    return trained(digits, 0), trained(digits, 1)


@pytest.mark.parametrize("canvas", ["pixels", "fourier"])
def test_of_a_linear_network_it_is_the_direction_of_the_weights(canvas):
    model = nn.Sequential(nn.Flatten(), linear(36))
    options = {"prior": 30, "rate": 0.02, **PLAIN, **({"decay": 0} if canvas == "fourier" else {})}
    found = nissl.portrait(model, shape=(6, 6), canvas=canvas, steps=400, **options, **QUIET)
    for k, picture in enumerate(found.pictures):
        assert cosine(picture, model[1].weight[k].detach()) > 0.999
    np.testing.assert_allclose(
        found.scores, np.diag(nissl.network(model).forward(found.pictures.astype(np.float32))), rtol=1e-5
    )
    assert found.metric == "logit"
    assert found.targets == ("0", "1", "2")


def test_with_data_it_is_the_direction_that_the_data_allow():
    """In the canvas of standard deviations the best is the covariance times the weights."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(3000, 6)) @ draw.normal(size=(6, 6))
    model = linear(6)
    found = nissl.portrait(model, data=x, canvas="principal", kept=1.0, prior=2, noise=0, steps=400, rate=0.02, **QUIET)
    for k, picture in enumerate(found.pictures):
        assert cosine(picture - x.mean(0), np.cov(x.T) @ model.weight[k].detach().numpy()) > 0.999


def test_what_a_matched_filter_wants_to_see_is_what_it_matches():
    torch.manual_seed(0)
    wanted = np.zeros((5, 5))
    wanted[2], wanted[:, 1], wanted[0, 4] = 1, -1, 2
    net = nn.Sequential(nn.Conv2d(1, 2, 5), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 49, 2))
    with torch.no_grad():
        net[0].weight[0, 0] = torch.from_numpy(wanted)
        net[0].bias.fill_(-1)
    options = {"centre": True, "prior": 1, "decay": 0, "steps": 300, **PLAIN, **QUIET}
    found = nissl.portrait(net, 0, of="0", shape=(1, 11, 11), canvas="fourier", **options)
    assert cosine(found.pictures[0, 0, 3:8, 3:8], wanted) > 0.98
    around = found.pictures[0, 0].copy()
    around[3:8, 3:8] = 0
    assert np.abs(around).max() < 0.05
    everywhere = nissl.portrait(net, 0, of="0", shape=(1, 11, 11), steps=100, **PLAIN, **QUIET)
    told = nissl.network(net).probe(everywhere.pictures.astype(np.float32), ["0"])["0"]
    assert everywhere.scores[0] == pytest.approx(told[0, 0].mean(), rel=1e-5)


def test_a_vector_of_outputs_is_reached():
    """What exigo calls the canonical input."""
    wanted = np.array([10.0, -10.0, -10.0])
    model = linear(40)
    found = nissl.portrait(model, wanted, shape=40, span=(-20, 20), prior=0, noise=0, steps=1000, **QUIET)
    np.testing.assert_allclose(nissl.network(model).forward(found.pictures.astype(np.float32))[0], wanted, atol=0.1)
    assert found.metric == "closeness"
    assert found.scores[0] == pytest.approx(0, abs=0.01)
    assert found.probabilities is None
    two = nissl.portrait(
        model, [[10.0, -10, -10], [0.0, 0, 5]], shape=40, span=(-20, 20), prior=0, noise=0, steps=300, **QUIET
    )
    assert two.targets == ("10, -10, -10", "0, 0, 5")
    assert (two.scores > -0.05).all()


def test_a_function_of_the_outputs_is_a_target():
    model = linear()
    same = [nissl.portrait(model, target, shape=12, steps=40, **QUIET) for target in (1, lambda out: out[:, 1])]
    np.testing.assert_allclose(same[0].pictures, same[1].pictures, atol=1e-3)
    against = nissl.portrait(model, lambda out: -out[:, 1], shape=12, steps=40, **QUIET)
    assert cosine(against.pictures, same[0].pictures) < -0.9


def test_outputs_that_are_probabilities_and_single_ones():
    bare = linear()
    squashed = nn.Sequential(bare, nn.Softmax(1))
    found = nissl.portrait(squashed, shape=12, steps=60, **QUIET)
    wanted = nissl.portrait(bare, shape=12, steps=60, metric="logodds", **QUIET)
    assert found.metric == "logodds"
    np.testing.assert_allclose(found.probabilities, wanted.probabilities, atol=0.02)
    for model in (linear(12, 1), nn.Sequential(linear(12, 1), nn.Sigmoid())):
        one = nissl.portrait(model, shape=12, steps=60, classes=["no", "yes"], **QUIET)
        assert one.targets == ("no", "yes")
        assert cosine(one["yes"].pictures, one["no"].pictures) < -0.99


def test_the_same_seed_is_the_same_bytes():
    model = nn.Sequential(nn.Flatten(), linear(64))
    made = [nissl.portrait(model, shape=(8, 8), steps=12, seed=seed, search=3, **QUIET) for seed in (0, 0, 1)]
    assert made[0].pictures.tobytes() == made[1].pictures.tobytes()
    assert made[0].tried == made[1].tried
    assert made[0].pictures.tobytes() != made[2].pictures.tobytes()


def test_the_model_stays_as_it_is():
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Flatten(), nn.Linear(108, 2)
    )
    model.train()
    model[1].eval()
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    state, numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - it shall stay as it is
    x = np.random.default_rng(0).random((30, 1, 8, 8))
    nissl.portrait(model, data=x, steps=4, count=2, search=2, **QUIET)
    nissl.invert(model, x[:2], "0", steps=3, **QUIET)
    nissl.dream(model, x[:2], "0", steps=3, **QUIET)
    assert all((value == kept[name]).all() for name, value in model.state_dict().items())
    assert [part.training for part in model] == [True, False, True, True, True, True]
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(part._forward_hooks or part._backward_hooks for part in model.modules())
    assert (torch.get_rng_state() == state).all()
    assert (np.random.get_state()[1] == numpy).all()  # noqa: NPY002


def test_digits_look_like_digits_to_both_networks(digits, two):
    found = nissl.portrait(two[0], data=digits.test, judge=two[1], steps=128, **QUIET)
    assert (found.probabilities > 0.99).all()
    assert (found.judged > 0.9).sum() >= 9
    assert (found.steady > 0.8).all()
    means = np.array([digits.train.x[digits.train.y == k].mean(0) for k in range(10)])
    nearest = [np.argmax([cosine(p - means.mean(0), m - means.mean(0)) for m in means]) for p in found.pictures]
    assert sum(np.array(nearest) == np.arange(10)) >= 9  # each is like the mean of its class
    noise = nissl.portrait(two[0], data=digits.test, canvas="pixels", steps=128, prior=0, **PLAIN, **QUIET)
    assert noise.realism_of_inputs.mean() < 0.05
    assert found.realism_of_inputs.mean() > 0.2


def test_portraits_of_one_target_differ_if_likeness_costs(digits, two):
    def likeness(apart):
        found = nissl.portrait(two[0], 3, data=digits.test, count=4, steps=64, apart=apart, **QUIET)
        assert found.targets == ("3",) * 4
        flat = found.pictures.reshape(4, -1)
        return np.corrcoef(flat)[~np.eye(4, dtype=bool)].mean(), found.probabilities

    (alike, _), (apart, sure) = likeness(0), likeness(0.5)
    assert apart < alike - 0.05
    assert sure.mean() > 0.9


def test_one_may_go_on_from_portraits(digits, two):
    first = nissl.portrait(two[0], [3, 8], data=digits.test, steps=20, **QUIET)
    again = nissl.portrait(two[0], [3, 8], data=digits.test, steps=20, start=first, prior=0, **QUIET)
    assert (again.scores > first.scores).all()
    assert cosine(again.pictures[0] - again.paper.middle, first.pictures[0] - first.paper.middle) > 0.7


def test_a_unit_that_never_answers_is_told():
    net = nn.Sequential(linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        net[0].bias[:] = torch.tensor([0.5, 0.5, -100, 0.5])
    with pytest.warns(nissl.errors.NisslWarning, match="units of 0 answer.*: 2\\."):
        found = nissl.portrait(net, of="0", shape=6, steps=30, **QUIET)
    assert found.scores[2] == 0
    assert (np.delete(found.scores, 2) > 0).all()
