"""Strengths of paths against gradients that know nothing of how they were made."""

import numpy as np
import pytest
import torch

from nissl.testing.specimens import chain, conv, dense, specimen, trace
from nissl.views._staining.paths import PORTS, Span, bundles, joins, kernel, strongest

ALL = 10**9


def parts(found, source, target, number):
    """(target unit, source unit) of signed strengths relative to the bundle's strongest."""
    bundle = next(b for b in found if (b.source, b.target, b.class_number) == (source, target, number))
    return bundle, np.where(bundle.inhibits, -1, 1) * bundle.strength


def test_of_a_linear_network_they_are_activation_times_weight_times_gradient():
    layers = chain(6, 5, 4, 3)
    layers = [dense(x.name, x.units, before, bends=None) for x, before in zip(layers, [None, *layers], strict=False)]
    seen = trace(layers, ("a", "b", "c"), (1,))
    weights = {x.name: torch.tensor(seen.read(x.name, "weight", [1])[0], dtype=torch.float64) for x in layers}
    found = bundles(seen, [x.name for x in layers], 1, (0, 1, 2), ALL)
    for number in range(3):
        mean = torch.tensor(seen.read("hidden_1", "probe_class_mean", [1])[0][:, number], dtype=torch.float64)
        hidden = (weights["hidden_2"] @ mean).requires_grad_()
        outputs = weights["output"] @ weights["hidden_3"] @ hidden
        (outputs[number] - outputs.mean()).backward()
        expected = (hidden.grad[:, None] * weights["hidden_2"] * mean).numpy()
        bundle, strength = parts(found, "hidden_1", "hidden_2", number)
        np.testing.assert_allclose(strength, (expected / np.abs(expected).max())[bundle.end, bundle.start], atol=1e-6)
        assert bundle.total == np.count_nonzero(expected)


def test_paths_into_a_port_add_up_to_the_class_output_above_the_mean():
    seen = trace(chain(12, 4), tuple("abcd"), (1,))
    mean = seen.read("hidden_1", "probe_class_mean", [1])[0]
    weight = seen.read("output", "weight", [1])[0]
    found = bundles(seen, ["hidden_1", "output"], 1, range(4), ALL)
    for number in range(4):
        outputs = weight @ mean[:, number]
        expected = (weight[number] - weight.mean(0)) * mean[:, number]
        _, strength = parts(found, "hidden_1", PORTS, number)
        np.testing.assert_allclose(strength.sum() * np.abs(expected).max(), outputs[number] - outputs.mean(), rtol=1e-5)


def test_one_output_leads_to_both_classes_with_opposite_signs():
    found = bundles(specimen("binary"), ["hidden_1", "hidden_2", "hidden_3", "output"], 11, (0, 1), ALL)
    seen = {b.class_number: b for b in found if b.target == PORTS}
    weight = specimen("binary").read("output", "weight", [11])[0][0]
    for number, raising in ((0, weight < 0), (1, weight > 0)):
        np.testing.assert_array_equal(~seen[number].inhibits, raising[seen[number].start])


def test_a_rectified_unit_lets_through_the_share_of_its_power_that_is_steady():
    layers = chain(3, 2, 2)
    seen = trace(layers, ("a", "b"), (1,))
    mean, std = (seen.read("hidden_2", f"probe_class_{s}", [1])[0].astype(float) for s in ("mean", "std"))
    before = seen.read("hidden_1", "probe_class_mean", [1])[0]
    inner, outer = (seen.read(name, "weight", [1])[0] for name in ("hidden_2", "output"))
    gate = mean**2 / (mean**2 + std**2)
    expected = (outer[0] - outer.mean(0))[:, None] * gate[:, :1] * inner * before[:, 0]
    bundle, strength = parts(bundles(seen, ["hidden_1", "hidden_2", "output"], 1, (0,), ALL), "hidden_1", "hidden_2", 0)
    np.testing.assert_allclose(strength, (expected / np.abs(expected).max())[bundle.end, bundle.start], atol=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_a_kernel_is_what_a_convolution_does_to_even_channels(groups):
    before = conv("a", 8)
    seen = trace([before, conv("b", 16, before, groups=groups)], epochs=(1,))
    real = torch.nn.Conv2d(8, 16, 3, groups=groups, bias=False)
    real.weight.data = torch.tensor(seen.read("b", "weight", [1])[0]).reshape(real.weight.shape)
    even = torch.rand(8)
    outputs = real(even[None, :, None, None].expand(1, 8, 3, 3))[0, :, 0, 0].detach().numpy()
    np.testing.assert_allclose(kernel(seen, "a", "b", 1) @ even.numpy(), outputs, atol=1e-5)


def test_a_dense_layer_after_channels_adds_up_its_positions():
    seen = specimen("cnn")
    linear = torch.nn.Linear(64, 24, bias=False)
    linear.weight.data = torch.tensor(seen.read("dense", "weight", [5])[0])
    even = torch.rand(16)
    flat = torch.nn.Flatten()(even[None, :, None, None].expand(1, 16, 2, 2))
    found = kernel(seen, "features.conv3", "dense", 5)
    np.testing.assert_allclose(found @ even.numpy(), linear(flat)[0].detach().numpy(), atol=1e-5)


def test_concatenated_inputs_keep_their_own_weights():
    a, b = dense("a", 3), dense("b", 5)
    both = dense("c", 4, fan=8)
    both = type(both)(**vars(both) | {"inputs": ("a", "b")})
    seen = trace([a, b, both], epochs=(1,))
    weight = seen.read("c", "weight", [1])[0]
    np.testing.assert_allclose(kernel(seen, "a", "c", 1), weight[:, :3])
    np.testing.assert_allclose(kernel(seen, "b", "c", 1), weight[:, 3:])


def test_weights_that_do_not_fit_join_nothing():
    seen = trace([dense("a", 7), dense("b", 4, fan=8), dense("c", 10, dense("b", 4))], epochs=(1,))
    assert kernel(seen, "a", "b", 1) is None
    assert joins(trace([dense("a", 7), dense("b", 4, fan=7)]), ["a", "b"]) == [("a", "b")]


def test_the_budget_is_shared_evenly_and_what_is_left_goes_on():
    seen = specimen("mlp")
    found = bundles(seen, ["hidden_1", "hidden_2", "output"], 5, (0, 3, 8), 300)
    kept = {(b.target, b.class_number): len(b.start) for b in found}
    assert sum(kept.values()) == 300
    small = [n for (target, _), n in kept.items() if target == PORTS]
    large = [n for (target, _), n in kept.items() if target != PORTS]
    assert max(small) <= 32 and max(large) - min(large) <= 1
    for bundle in found:
        assert (np.diff(bundle.strength) <= 0).all() and bundle.strength[0] == 1 and len(bundle.start) <= bundle.total


def test_only_members_are_joined():
    seen = specimen("mlp")
    rng = np.random.default_rng(0)
    members = {name: rng.random((seen.units(name), 2)) < 0.5 for name in ("hidden_1", "hidden_2")}
    for bundle in bundles(seen, ["hidden_1", "hidden_2", "output"], 5, (3, 8), ALL, members):
        place = (3, 8).index(bundle.class_number)
        assert members[bundle.source][bundle.start, place].all()
        if bundle.target != PORTS:
            assert members[bundle.target][bundle.end, place].all()


def test_paths_of_early_epochs_are_as_pale_as_they_were_weak():
    seen = specimen("mlp")
    layers = ["hidden_1", "hidden_2", "output"]
    for early, late in zip(*(bundles(seen, layers, epoch, (3, 8), 300) for epoch in (0, 5)), strict=True):
        assert early.key == late.key and late.strength[0] == 1
        np.testing.assert_allclose(early.strength[0], early.top / late.top)
        assert early.strength[0] < 0.1


@pytest.mark.parametrize("coarse", [None, 1.0], ids=["no two alike", "many alike"])
@pytest.mark.parametrize("budget", [0, 1, 90, 4000, ALL])
def test_the_strongest_are_those_of_all_and_of_equals_the_first(coarse, budget):
    rng = np.random.default_rng(0)
    active, slope, weights = rng.normal(size=300), rng.normal(size=200), rng.normal(size=(200, 300))
    if coarse:
        active, slope, weights = (np.round(x / coarse) * coarse for x in (active, slope, weights))
    active[:40], slope[150:], weights[3] = 0, 0, 0
    span = Span("a", "b", "b", active[:, None], weights, slope[:, None])
    (bundle,) = strongest([span], [0], budget)
    every = (active * slope[:, None] * weights).ravel()
    order = np.lexsort((np.arange(every.size), -np.abs(every)))[: min(budget, np.count_nonzero(every))]
    np.testing.assert_array_equal(bundle.end * 300 + bundle.start, order)
    np.testing.assert_array_equal(bundle.strength * bundle.top, np.abs(every[order]) / bundle.top * bundle.top)
    np.testing.assert_array_equal(bundle.inhibits, every[order] < 0)
    assert bundle.total == np.count_nonzero(every)


def test_few_paths_are_weighed_where_few_are_kept():
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(500, 500)).view(Counting)
    span = Span("a", "b", "b", rng.normal(size=(500, 1)), weights, rng.normal(size=(500, 1)))
    span.tallest, span.joined(np.ones(500, bool))
    weights.read = 0
    strongest([span], [0], 50)
    assert 0 < weights.read < 500 * 500 / 5


class Counting(np.ndarray):
    """Counts how many of its values are taken out."""

    read = 0

    def __getitem__(self, key):
        found = np.asarray(self)[key]
        self.read += found.size
        return found
