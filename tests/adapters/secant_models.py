"""Networks with one of everything, between whose inputs secants are taken."""

import torch
import torch.nn.functional as F
from torch import nn


def rand(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Mixed(nn.Module):
    """A residual net with all that is found in one."""

    def __init__(self, bend=None):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.pool, self.second = nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1)
        self.out, self.bend = nn.Linear(64, 3), bend or nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.pool(self.bend(self.bn(self.conv(x))))
        kept = x
        x = self.second(x)
        x += kept
        return self.out(F.relu(x, inplace=True).flatten(1))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.out = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.a(x) * torch.sigmoid(self.b(x)) / (1 + self.c(x).exp()))


class Attention(nn.Module):
    """By hand, with logits that saturate."""

    def __init__(self, scale, *, causal=False):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(6, 6) for _ in range(4))
        self.scale, self.causal = scale, causal

    def forward(self, x):
        logits = self.scale * self.q(x) @ self.k(x).mT
        if self.causal:
            logits = logits.masked_fill(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1), -torch.inf)
        return self.out(logits.softmax(-1) @ self.v(x)).mean(1)


class HandNorm(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.a, self.out, self.kind = nn.Linear(6, 8), nn.Linear(8, 3), kind

    def forward(self, x):
        x = self.a(x)
        if self.kind == "std":
            x = (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-3)
        elif self.kind == "var":
            x = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True) + 1e-3)
        elif self.kind == "unit":
            x = F.normalize(x, dim=-1)
        else:
            x = F.rms_norm(x, (8,), eps=1e-3)
        return self.out(x)


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn, self.out = kind(6, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


def mlp():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.GELU(), nn.Linear(7, 3))


def encoder(**how):
    layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, **how), 2, enable_nested_tensor=False)
    return nn.Sequential(nn.Linear(6, 8), layers, nn.Linear(8, 3))


class Only(nn.Module):
    """One function between two layers that change nothing."""

    def __init__(self, function, width=6):
        super().__init__()
        self.a, self.b, self.function = nn.Linear(width, width, bias=False), nn.Identity(), function
        nn.init.eye_(self.a.weight)

    def forward(self, x):
        return self.b(self.function(self.a(x)))
