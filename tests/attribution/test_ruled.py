"""Guided backpropagation and deconvolution: by a ReLU written by hand, however the network writes its own."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import nissl
from nissl.errors import BadValue, Unsupported
from nissl.models.resnet20 import Resnet20
from tests.attribution.spellings import BY_HAND, NAMES, Net, network

X = torch.randn(8, 1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(8) % 3


def reference(model, x=X):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(model(x).gather(1, LABELS[:, None]).sum(), x)[0].numpy()


@pytest.mark.parametrize("by", BY_HAND)
@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_rule_by_hand_however_relus_are_written(by, name):
    found = nissl.attribute(network(name), X, LABELS, by=by)
    np.testing.assert_allclose(found, reference(Net(BY_HAND[by]).double()), rtol=1e-9, atol=1e-12)
    assert found.notes == ("by the rule: 3 relu",)
    assert not np.allclose(found, reference(network("modules")))


def test_nineteen_relus_of_resnet_20_are_found():
    found = nissl.attribute(Resnet20().build(), torch.randn(2, 3, 32, 32), [1, 2], by="guided_backprop")
    assert found.notes == ("by the rule: 19 relu",)


def test_without_a_relu_it_raises_and_never_is_the_plain_gradient():
    smooth = Net(F.gelu).double()
    for by in BY_HAND:
        with pytest.raises(Unsupported, match=r"also=.'gelu',"):
            nissl.attribute(smooth, X, LABELS, by=by)
        with pytest.raises(Unsupported, match="plain gradient"):
            nissl.attribute(nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).double(), X, LABELS, by=by)
        with pytest.raises(BadValue, match="swish"):
            nissl.attribute(smooth, X, LABELS, by=by, also=("swish",))


def test_other_nonlinearities_go_by_the_rule_when_they_are_named():
    found = nissl.attribute(Net(F.gelu).double(), X, LABELS, by="guided_backprop", also=("gelu",))
    assert found.notes == ("by the rule: 3 gelu",)
    clamped = Net(lambda h: h.clamp(min=0)).double()
    by_hand = reference(Net(BY_HAND["guided_backprop"]).double())
    np.testing.assert_allclose(
        nissl.attribute(clamped, X, LABELS, by="guided_backprop", also=("clamp",)), by_hand, rtol=1e-9, atol=1e-12
    )
    largest = Net(lambda h: torch.maximum(h, torch.zeros(()).to(h))).double()
    np.testing.assert_allclose(
        nissl.attribute(largest, X, LABELS, by="guided_backprop", also=("maximum",)), by_hand, rtol=1e-9, atol=1e-12
    )


def test_what_is_left_as_it_is_is_told():
    mixed = Net([nn.ReLU(), nn.Tanh(), nn.ReLU()]).double()
    found = nissl.attribute(mixed, X, LABELS, by="guided_backprop")
    assert found.notes == ("by the rule: 2 relu", "as they are: 1 tanh")


def test_relus_below_the_layer_that_is_attributed_to_do_not_count():
    found = nissl.attribute(network("modules"), X, LABELS, by="guided_backprop", at="first")
    assert found.notes == ("by the rule: 2 relu",)
    with pytest.raises(Unsupported, match="plain gradient"):
        nissl.attribute(network("modules"), X, LABELS, by="guided_backprop", at="third")


def test_a_unit_is_led_back_through_its_own_relu():
    def guided(bend):
        x, net = X.clone().requires_grad_(), Net(bend).double()
        h = bend(net.first(x))
        h = bend(net.second(h) + h)
        return torch.autograd.grad(bend(net.third(h))[:, 2].sum(), x)[0].numpy()

    found = nissl.attribute(network("modules"), X, at="third", unit=2, by="guided_backprop")
    np.testing.assert_allclose(found, guided(BY_HAND["guided_backprop"]), rtol=1e-9, atol=1e-12)


def test_checkpointed_parts_are_guided_too():
    class Saving(Net):
        def forward(self, x):
            return torch.utils.checkpoint.checkpoint(super().forward, x, use_reentrant=False)

    found = nissl.attribute(Saving(nn.ReLU()).double(), X, LABELS, by="guided_backprop")
    np.testing.assert_allclose(found, reference(Net(BY_HAND["guided_backprop"]).double()), rtol=1e-9, atol=1e-12)


def test_two_hundred_calls_leave_no_hook_and_the_plain_gradient_as_it_was():
    model = network("shared")
    before = nissl.attribute(model, X, LABELS, by="gradient")
    for _ in range(200):
        nissl.attribute(model, X[:1], LABELS[:1], by="guided_backprop")
    np.testing.assert_array_equal(nissl.attribute(model, X, LABELS, by="gradient"), before)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
