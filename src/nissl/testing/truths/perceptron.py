"""Dense layers with weights that are given."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


def perceptron(layers: Mapping[str, tuple[Any, Any]]) -> nn.Module:
    """Layers by name, each of a weight (unit, input) and a bias, with ReLU between them; draws no random numbers."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for name, (weight, bias) in layers.items():
        units, inputs = weight.shape
        linear = nn.utils.skip_init(nn.Linear, inputs, units)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            linear.weight.copy_(torch.as_tensor(weight))
            linear.bias.copy_(torch.as_tensor(bias))
        modules[name] = linear
        modules[f"{name}_relu"] = nn.ReLU()
    modules.popitem()
    return nn.Sequential(modules).eval()
