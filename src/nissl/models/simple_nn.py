"""nn_staining's network: the minimal proof."""

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from nissl.core.blueprint import Blueprint
from nissl.models._weights.checkpoint import loaded


@dataclass(frozen=True)
class SimpleNn(Blueprint):
    """Dense layers named input, hidden_1, hidden_2 ... and output; ReLU between them.

    With two classes there is one output, through a sigmoid: the probability of class 1. With `hidden` = 1 it is the
    20-10-10-1 of nn_staining itself.
    """

    shape: tuple[int, ...] = (20,)
    classes: int = 2
    width: int = 10
    hidden: int = 2

    def check(self) -> None:
        if len(self.shape) != 1:
            self.refuse("rows of a table (features,)")

    @property
    def gives(self) -> str:
        return "probability" if self.classes == 2 else "logits"

    def build(self) -> nn.Module:
        layers: OrderedDict[str, nn.Module] = OrderedDict(input=nn.Linear(self.shape[0], self.width))
        layers["input_relu"] = nn.ReLU()
        for number in range(1, self.hidden + 1):
            layers[f"hidden_{number}"] = nn.Linear(self.width, self.width)
            layers[f"hidden_{number}_relu"] = nn.ReLU()
        layers["output"] = nn.Linear(self.width, 1 if self.classes == 2 else self.classes)
        if self.classes == 2:
            layers["output_sigmoid"] = nn.Sigmoid()
        return loaded(nn.Sequential(layers), self.weights)
