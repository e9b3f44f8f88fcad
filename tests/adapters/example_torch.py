"""A small torch network that has what is hard: a module called twice, a norm, an in-place ReLU, grouped transposed convolution."""

import numpy as np
import torch
from torch import nn


def example():
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
