"""What every pattern begins and ends with."""

import hashlib

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(0)
x = torch.randn(96, 6)
y = (x.sum(1) > 0).long()


def network(outputs=2):
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, outputs))


def loader(**options):
    return DataLoader(TensorDataset(x[:64], y[:64]), 16, shuffle=True, **options)


def ended(*models):
    """Every bit of the weights, and of the random state."""
    weights = b"".join(p.detach().numpy().tobytes() for model in models for p in model.parameters())
    print(hashlib.sha256(weights).hexdigest(), torch.rand(1).item())
