"""One network whose ReLUs are written in every way there is, and the same with a guided or deconvolving ReLU written by hand."""

import torch
import torch.nn.functional as F
from torch import nn


def _statement(h):
    h.relu_()
    return h


SPELLINGS = {
    "F.relu": F.relu,
    "torch.relu": torch.relu,
    "method": lambda h: h.relu(),
    "functional in place": lambda h: F.relu(h, inplace=True),
    "statement": _statement,
}


class Net(nn.Module):
    """Two convolutions, a residual sum and a classifier; `bend` is its ReLU: a function, a module or a list of modules."""

    def __init__(self, bend):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.third = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3)
        self.out = nn.Linear(4 * 2 * 2, 3)
        self.bends = nn.ModuleList(bend) if isinstance(bend, list) else bend

    def bend(self, at, h):
        return self.bends[at](h) if isinstance(self.bends, nn.ModuleList) else self.bends(h)

    def forward(self, x):
        h = self.bend(0, self.first(x))
        h = self.bend(1, self.second(h) + h)
        h = self.bend(2, self.third(h))
        return self.out(h.flatten(1))


def network(name):
    made = {
        "modules": lambda: [nn.ReLU(), nn.ReLU(), nn.ReLU()],
        "in place": lambda: [nn.ReLU(inplace=True) for _ in range(3)],
        "shared": nn.ReLU,
    }
    return Net(made[name]() if name in made else SPELLINGS[name]).double()


NAMES = ["modules", "in place", "shared", *SPELLINGS]


class Guided(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.clamp(min=0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        return g.clamp(min=0) * (ctx.saved_tensors[0] > 0)


class Deconvolving(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, g):
        return g.clamp(min=0)


BY_HAND = {"guided_backprop": Guided.apply, "deconvnet": Deconvolving.apply}
