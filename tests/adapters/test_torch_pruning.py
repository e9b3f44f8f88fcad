"""Which rows and columns leave with a unit, against an independent library that knows dependencies: torch-pruning."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from nissl.adapters.torch import Torch
from nissl.models.basic_cnn import BasicCnn
from nissl.models.mlp import Mlp
from nissl.models.resnet20 import Resnet20
from nissl.models.simple_net import SimpleNet
from tests.adapters.rewritings import inputs, made, normed

oracle = pytest.importorskip("torch_pruning")


class Residual(nn.Module):
    """Two convolutions whose channels are one stream, and one within."""

    def __init__(self):
        super().__init__()
        self.stem, self.inner = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 5, 3, padding=1)
        self.norm, self.back = nn.BatchNorm2d(5), nn.Conv2d(5, 6, 3, padding=1)
        self.head = nn.Linear(6 * 64, 3)

    def forward(self, x):
        x = self.stem(x).relu()
        x = (x + self.back(self.norm(self.inner(x)).relu())).relu()
        return self.head(x.flatten(1))


CASES = {
    "mlp": (lambda: Mlp((1, 1, 5), hidden=(9, 7)).build(), (8, 5), ["hidden_1", "hidden_2"]),
    "basic cnn": (lambda: BasicCnn((3, 12, 12)).build(), (8, 3, 12, 12), ["conv1", "conv2", "conv3"]),
    "normed": (normed, (8, 3, 8, 8), ["0", "5"]),
    "residual": (Residual, (8, 3, 8, 8), ["stem", "inner"]),
    "within blocks": (lambda: Resnet20().build(), (2, 3, 32, 32), ["layer1.0.conv1", "layer2.1.conv1", "layer3.2.conv1"]),
    "thirteen": (lambda: SimpleNet().build(), (2, 3, 32, 32), ["features.0", "features.17"]),
}  # fmt: skip


def theirs(model, layer, units, x):
    """The model that they make, and which layers lose units."""
    new = copy.deepcopy(model)
    graph = oracle.DependencyGraph().build_dependency(new, example_inputs=x)
    root = new.get_submodule(layer)
    prune = oracle.prune_conv_out_channels if isinstance(root, nn.Conv2d) else oracle.prune_linear_out_channels
    group = graph.get_pruning_group(root, prune, idxs=units)
    names = {module: name for name, module in new.named_modules()}
    out = {oracle.prune_conv_out_channels, oracle.prune_linear_out_channels}
    losing = {
        names[dep.target.module]: sorted(idxs)
        for dep, idxs in group
        if dep.handler in out and isinstance(dep.target.module, nn.Conv2d | nn.Linear)
    }
    group.prune()
    return new, losing


@pytest.mark.parametrize(("case", "layer"), [(case, layer) for case, (*_, layers) in CASES.items() for layer in layers])
def test_what_leaves_with_units_is_what_another_library_takes(case, layer):
    build, shape, _ = CASES[case]
    model, x = made(build), inputs(shape)
    wanted, losing = theirs(model, layer, [0, 2], x)
    fixed = {name: (units, np.zeros(len(units))) for name, units in losing.items()}
    found = Torch(model).rewritten(fixed, {}, shrink=True, x=x)
    assert {name: tuple(units) for name, units in losing.items()} == dict(found.removed)
    ours, state = found.model.state_dict(), wanted.state_dict()
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in state.items()}
    for name, value in state.items():  # held at zero, they leave nothing behind
        torch.testing.assert_close(ours[name], value, atol=1e-6, rtol=1e-5, msg=name)
