"""A multi-layer perceptron for anything that can be flattened."""

import math
from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from nissl.core.blueprint import Blueprint
from nissl.models._weights.checkpoint import loaded


@dataclass(frozen=True)
class Mlp(Blueprint):
    """Dense layers hidden_1, hidden_2 ... with ReLU, and output with a logit for each class."""

    shape: tuple[int, ...] = (1, 8, 8)
    classes: int = 10
    hidden: tuple[int, ...] = (64, 32)

    def build(self) -> nn.Module:
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        width = math.prod(self.shape)
        for number, units in enumerate(self.hidden, 1):
            layers[f"hidden_{number}"] = nn.Linear(width, units)
            layers[f"hidden_{number}_relu"] = nn.ReLU()
            width = units
        layers["output"] = nn.Linear(width, self.classes)
        return loaded(nn.Sequential(layers), self.weights)
