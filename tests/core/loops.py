"""A small network and the README's loop around it."""

import torch
from torch import nn
from torch.nn import functional as F

import nissl

CLASSES = 3


def data(examples=60, features=8, seed=0):
    torch.manual_seed(seed)
    return torch.randn(examples, features), torch.arange(examples) % CLASSES


def loader(x, y, size=16):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), size)


def mlp(outputs=CLASSES):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, outputs))


def train(model, batches, epochs, path=None, lr=0.1, loss=F.cross_entropy, **options):
    """The README's loop."""
    optimizer = torch.optim.SGD(model.parameters(), lr)
    with nissl.record(model, path, progress=False, **options) as recorder:
        for _ in recorder.epochs(epochs):
            for x, y in recorder.batches(batches):
                loss(model(x), y).backward()
                optimizer.step()
                optimizer.zero_grad()
    return recorder.trace


def hidden(model, x):
    """What the first layer says, by torch alone."""
    return model[1](model[0](x)).detach().double().numpy()
