"""Pruning: what goes, what stays at zero, and that the model given is none the worse."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.errors import BadValue, Unsupported
from tests.studies.digits import accuracy, digits, learn, trained

DATA, TEST = tuple(digits().train), tuple(digits().test)
OPTIMISERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-3),
    "adam": lambda p: torch.optim.Adam(p, 2e-3),
    "adamw": lambda p: torch.optim.AdamW(p, 2e-3, weight_decay=0.1),
}


def matrices(model: nn.Module) -> dict[str, Any]:
    return {name: p.detach().numpy() for name, p in model.named_parameters() if p.dim() > 1}


@pytest.mark.parametrize("globally", [False, True])
def test_the_smallest_weights_go(globally: bool) -> None:
    new, report = nissl.prune(trained(), DATA, 0.7, by="magnitude", globally=globally)
    old, left = matrices(trained()), matrices(new)
    parts = [list(old)] if globally else [[name] for name in old]
    for part in parts:
        before = np.concatenate([old[name].reshape(-1) for name in part])
        after = np.concatenate([left[name].reshape(-1) for name in part])
        gone = after == 0
        assert gone.mean() == pytest.approx(0.7, abs=0.002)
        assert np.abs(before[gone]).max() <= np.abs(before[~gone]).min()
        np.testing.assert_array_equal(after[~gone], before[~gone])
    assert report.layers == {name: (w.size, np.count_nonzero(w)) for name, w in left.items()}


def test_costs_are_counted() -> None:
    new, report = nissl.prune(trained(), DATA, 0.7, by="magnitude", test=TEST)
    assert report.accuracy == pytest.approx((accuracy(trained()), accuracy(new), accuracy(new)))
    assert report.parameters == tuple(
        sum(np.count_nonzero(p.detach()) for p in model.parameters()) for model in (trained(), new)
    )
    assert report.operations == tuple(
        sum(np.count_nonzero(w) for w in matrices(model).values()) for model in (trained(), new)
    )
    assert "70% of weights by magnitude" in str(report)


def test_a_convolution_multiplies_at_every_pixel() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3, groups=2), nn.Flatten(), nn.Linear(96, 10))
    _, report = nissl.prune(model, (DATA[0][:32], DATA[1][:32]), 0.5, by="magnitude", globally=False)
    assert report.operations == (36 * 36 + 108 * 16 + 960, 18 * 36 + 54 * 16 + 480)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_zeros_stay_zero_through_fine_tuning_and_after(optimiser: str) -> None:
    def loop(model: nn.Module) -> None:
        learn(model, 2, optimiser=OPTIMISERS[optimiser](model.parameters()))

    new, report = nissl.prune(trained(), DATA, 0.9, by="magnitude", finetune=loop, test=TEST)
    assert report.accuracy[2] > report.accuracy[1] + 0.1
    assert report.accuracy[2] == pytest.approx(accuracy(new))
    with report.held(new):
        before = copy.deepcopy(matrices(new))
        loop(new)
    for name, kept in report.masks.items():
        assert (matrices(new)[name][~kept] == 0).all()
        assert (matrices(new)[name] != before[name]).any()


def test_its_own_loop_learns_too_and_the_model_given_stays_as_it_is() -> None:
    model = copy.deepcopy(trained()).train()
    before = copy.deepcopy(model.state_dict())
    drawn = torch.get_rng_state()
    new, report = nissl.prune(model, DATA, 0.9, by="magnitude", globally=True, finetune=3, test=TEST)
    assert torch.equal(drawn, torch.get_rng_state())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.training and new.training
    assert all(p.grad is None for p in model.parameters())
    assert report.accuracy[2] > report.accuracy[1] + 0.05
    again, _ = nissl.prune(model, DATA, 0.9, by="magnitude", globally=True, finetune=3, test=TEST)
    assert all(torch.equal(a, b) for a, b in zip(new.parameters(), again.parameters(), strict=True))


def test_magnitude_beats_chance() -> None:
    _, best = nissl.prune(trained(), DATA, 0.7, by="magnitude", test=TEST)
    _, worst = nissl.prune(trained(), DATA, 0.7, by="random", structured=False, test=TEST)
    assert best.accuracy[1] > worst.accuracy[1] + 0.1


def rescaled(model: nn.Sequential) -> nn.Sequential:
    """The same function: what a hidden unit takes in is scaled up, what it gives down, or the other way round."""
    new = copy.deepcopy(model)
    with torch.no_grad():
        for k in (1, 3):
            size = len(new[k].weight)
            by = torch.logspace(-1, 1, size)[torch.randperm(size, generator=torch.Generator().manual_seed(k))]
            new[k].weight *= by[:, None]
            new[k].bias *= by
            new[k + 2].weight /= by
    return new


def test_units_are_taken_out_and_the_network_is_smaller() -> None:
    before = copy.deepcopy(trained().state_dict())
    new, report = nissl.prune(trained(), DATA, 0.5, test=TEST)
    assert all(torch.equal(before[name], value) for name, value in trained().state_dict().items())
    assert [tuple(new[k].weight.shape) for k in (1, 3, 5)] == [(24, 64), (24, 24), (10, 24)]
    assert report.layers == {"1": (48, 24), "3": (48, 24)}
    assert report.parameters == (48 * 65 + 48 * 49 + 490, 24 * 65 + 24 * 25 + 250)
    assert report.accuracy[1:] == pytest.approx((accuracy(new), accuracy(new)))
    assert report.committed is not None and report.committed.difference < 1e-4
    assert "units 48 -> 24" in str(report)


def test_by_structure_beats_chance_and_where_scales_mislead_the_norm() -> None:
    model = rescaled(trained())
    assert accuracy(model) == pytest.approx(accuracy(trained()), abs=0.01)
    cut = {by: nissl.prune(model, DATA, 0.5, by=by, test=TEST)[1].accuracy[1] for by in ("structure", "norm", "random")}
    assert cut["structure"] > cut["norm"] + 0.1
    assert cut["structure"] > cut["random"] + 0.2
    plain = nissl.prune(trained(), DATA, 0.5, test=TEST)[1].accuracy[1]
    assert cut["structure"] == pytest.approx(plain, abs=0.03)  # it asks for the function, whatever the scales


def test_a_pruned_network_learns_again_and_no_layer_is_emptied() -> None:
    new, report = nissl.prune(trained(), DATA, 0.95, by="norm", globally=True, finetune=2, test=TEST)
    assert all(1 <= left < 48 for _, left in report.layers.values())
    assert sum(left for _, left in report.layers.values()) == round(96 * 0.05)
    half, told = nissl.prune(trained(), DATA, 0.8, finetune=lambda m: learn(m, 3), test=TEST)
    assert told.accuracy[2] > told.accuracy[1] + 0.05
    assert told.accuracy[2] == pytest.approx(accuracy(half))
    assert new is not half


def test_what_makes_no_sense_is_said() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"by": "magnitud"}, "Did you mean 'magnitude'"),
        ({"share": 1.0}, "less than 1"),
        ({"share": -0.1}, "from 0"),
        ({"share": "half"}, "from 0"),
        ({"by": "magnitude", "structured": True}, "by='norm' takes whole units"),
        ({"by": "norm", "structured": False}, "by='magnitude' takes single weights"),
        ({"by": "magnitude", "layers": "1"}, "whole units"),
        ({"by": "magnitude", "finetune": True}, "number of epochs"),
        ({"by": "norm", "pairs": 3}, "takes no pairs"),
    ]
    for options, said in wrong:
        with pytest.raises(BadValue, match=said):
            nissl.prune(trained(), DATA, **options)
    with pytest.raises(BadValue, match="labels"):
        nissl.prune(trained(), DATA[0], by="magnitude", finetune=1)
    with pytest.raises(Unsupported, match="arrays"):
        nissl.prune(nissl.Arrays({"hidden": 8, "output": 3}), DATA, by="magnitude")
