"""Images lie as a processor convolves them fastest, and nobody but the clock can tell."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.adapters.torch import Torch

CHANNELS = [1, 3]


class Viewing(nn.Module):
    """Flattens by `view`, which needs its values in order."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(channels, 4, 3), nn.Linear(4 * 36, 5)
        self.heard: list[bool] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.heard.append(x.stride(1) == 1)
        value = self.conv(x).relu()
        return self.out(value.view(len(value), -1))


def sequential(channels: int) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5)
    ).eval()  # fmt: skip


def images(channels: int, count: int = 6) -> torch.Tensor:
    return torch.randn(count, channels, 8, 8, generator=torch.Generator().manual_seed(1))


def slope(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    given = x.clone().requires_grad_()
    return torch.autograd.grad(model(given)[:, 2].sum(), given)[0].numpy()


@pytest.mark.parametrize("channels", CHANNELS)
def test_gradients_and_values_are_the_same(channels):
    model, x = sequential(channels), images(channels)
    net = Torch(model)
    np.testing.assert_allclose(net.gradient(x, 2), slope(model, x), atol=1e-6)
    np.testing.assert_allclose(net.forward(x), model(x).detach(), atol=1e-6)
    np.testing.assert_allclose(net.probe(x, ["0"])["0"], model[:2](x).detach(), atol=1e-6)


@pytest.mark.parametrize("channels", CHANNELS)
def test_a_network_that_needs_its_values_in_order_gets_them(channels):
    torch.manual_seed(0)
    model, x = Viewing(channels).eval(), images(channels)
    net = Torch(model)
    np.testing.assert_allclose(net.gradient(x, 2), slope(model, x), atol=1e-6)
    model.heard.clear()
    net.forward(x)
    assert model.heard == [False]  # asked once, and not again


def test_the_first_convolution_hears_channels_side_by_side():
    model, strides = sequential(1), []
    model[0].register_forward_pre_hook(lambda _, args: strides.append(args[0].stride()))
    net, x = Torch(model), images(1)
    net.forward(x)
    assert strides == [(64, 1, 8, 1)]
    net.forward(x[:1])
    net.forward(x.double().float().permute(0, 1, 3, 2))
    model.train()
    net.run(x)
    assert {stride[1] for stride in strides[1:]} == {
        64
    }  # one image, an order of the user's, a training pass: as they are


def test_profiles_keep_the_layers_own_order():
    model, x = sequential(3), images(3, 40)
    groups = np.arange(40) % 2
    found = nissl.profile(model, (x.numpy(), groups), progress=False)["0"]
    value = model[:2](x).detach().numpy()
    expected = np.stack([value[groups == group].mean(0) for group in (0, 1)])
    np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)
