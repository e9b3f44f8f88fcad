"""Every adapter of the folder keeps to the contract; a new one says here what a small network of its framework is."""

import numpy as np
import pytest

from nissl import plugins
from nissl.core.network import network
from nissl.testing.adapters import AdapterSuite


def torch_example():
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(1, 4, 3, padding=1)
            self.again = nn.Conv2d(4, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.act = nn.ReLU(inplace=True)
            self.shrink = nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2)
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(6 * 64, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3))

        def forward(self, x):
            x = self.act(self.first(x))
            x = self.act(self.norm(self.again(x)) + self.again(x))
            return self.head(self.shrink(x))

    torch.manual_seed(1)
    model = Residual().double()
    return model, torch.randn(7, 1, 4, 4, dtype=torch.float64), np.arange(7) % 3


def arrays_example():
    draw = np.random.default_rng(0).normal
    return {"conv": draw(size=(7, 5, 5, 4)), "out": draw(size=(7, 3))}, np.arange(7), np.arange(7) % 3


EXAMPLES = {"torch": torch_example, "arrays": arrays_example}


@pytest.mark.parametrize("name", plugins.names("adapters"), scope="class")
class TestAdapters(AdapterSuite):
    @pytest.fixture(autouse=True)
    def _given(self, name):
        assert name in EXAMPLES, f"say here what a small {name} network is"
        pytest.importorskip(name) if name != "arrays" else None
        self._name = name

    def example(self):
        return EXAMPLES[self._name]()

    def test_it_is_found(self):
        assert type(network(self.example()[0])) is plugins.load("adapters", self._name)
