"""A network that has learnt, and the structures of its classes."""

import pytest
import torch
from torch import nn

import nissl
from tests.structures.corners import QUIET, mlp


@pytest.fixture(scope="session")
def learnt():
    """A network that has learnt to tell four corners of a plane, and examples: nearly always right."""
    torch.manual_seed(0)
    x = torch.rand(160, 2) * 2 - 1
    y = (x[:, 0] > 0) * 2 + (x[:, 1] > 0) * 1
    model = mlp(2, 24, 16, 4)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    return model, x, y


@pytest.fixture(scope="session")
def family(learnt):
    model, x, y = learnt
    return nissl.structures(model, (x, y), classes=["sw", "nw", "se", "ne"], size=0.25, **QUIET)
