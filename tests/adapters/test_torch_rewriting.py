"""New models that do by their weights what changes do by hooks; the reference is always the old model with the hooks."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune

from nissl.adapters.torch import Torch
from nissl.core.capabilities import Rewritable
from nissl.errors import BadValue, UnknownName, Unsupported
from nissl.models.mlp import Mlp
from nissl.models.resnet20 import Resnet20
from nissl.models.simple_net import SimpleNet
from nissl.models.transformer import Transformer
from tests.adapters.rewritings import CASES, DENSE, PICTURE, Twice, bent, by_hooks, c, check, inputs, made, normed

BIG = (3, 3, 32, 32)


def saved(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def everywhere(model, units, constants):
    return {layer.name: (units, constants) for layer in Torch(model).layers[:-1]}


@pytest.mark.parametrize(
    ("shrink", "dtype"),
    [(False, torch.float64), (True, torch.float32), (True, torch.float64)],
    ids=["held", "shrunk in float32", "shrunk"],
)
@pytest.mark.parametrize("case", CASES)
def test_weights_do_what_hooks_do(case, shrink, dtype):
    build, shape, fixed, turned, gone = CASES[case]
    x = inputs(shape, dtype)
    new = check(made(build, dtype), x, fixed, turned, shrink=shrink, gone=gone if shrink else {})
    np.testing.assert_array_equal(Torch(saved(new.model)).forward(x), Torch(new.model).forward(x))
    again = copy.deepcopy(new.model)
    again.load_state_dict(new.model.state_dict())


def test_it_is_a_capability():
    assert isinstance(Torch(nn.Linear(2, 2)), Rewritable)


def test_what_was_shrunk_can_learn_and_be_shrunk_again_on_pictures_of_any_size():
    model, x = made(normed), inputs(PICTURE)
    first = check(model, x, {"0": ([1, 2], c(0.3, 0.7))}, shrink=True, gone={"0": 2})
    second = check(
        first.model, x, {"0": ([0, 3], c(0.2, 0.9)), "5": ([1], c(0.5))}, shrink=True, gone={"0": 2, "5": 1}
    ).model
    assert not any(p.requires_grad is False for p in second.parameters())
    plain = made(
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1, stride=2))
    )
    small = check(plain, x, {"0": ([1], c(0.8))}, shrink=True, gone={"0": 1}).model
    larger = inputs((2, 3, 13, 9))
    np.testing.assert_allclose(
        Torch(small).forward(larger), by_hooks(plain, {"0": ([1], c(0.8))}, {}, larger), atol=1e-6
    )

    target, losses = torch.arange(8) % 3, []
    for _ in range(20):
        loss = F.cross_entropy(second.train()(x), target)
        gradients = torch.autograd.grad(loss, list(second.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(second.parameters(), gradients, strict=True):
                parameter -= 0.05 * gradient
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_thirteen_convolutions_and_all_that_is_between_them():
    model = made(lambda: SimpleNet().build())
    fixed = everywhere(model, [1, 7], c(0, 0.5))
    check(model, inputs(BIG), fixed, shrink=True, gone=dict.fromkeys(fixed, 2))


def stream(constant):
    """The channel of a residual network's stream that begins as 1, wherever something is added to it."""
    blocks = {f"layer{i + 1}.{j}.conv2": ([(1, 9, 25)[i]], c(0.1 * j - constant)) for i in range(3) for j in range(3)}
    return {"conv1": ([1], c(constant)), **blocks}


def test_a_channel_leaves_a_residual_sum_with_every_term_of_it_or_stays():
    model, x = made(lambda: Resnet20().build()), inputs(BIG)
    inner = {"layer1.0.conv1": ([0, 2, 3], c(0, 0.5, 1)), "layer3.1.conv1": ([5], c(0.2))}
    fixed = stream(0.3) | inner
    check(model, x, fixed, shrink=True, gone={name: len(units) for name, (units, _) in fixed.items()})
    del fixed["layer2.1.conv2"]
    new = check(model, x, fixed, shrink=True, gone={name: len(units) for name, (units, _) in inner.items()})
    assert all("joined" in why for why in new.held.values())


@pytest.mark.parametrize("shrink", [False, True], ids=["held", "shrunk"])
def test_heads_and_their_queries_keys_and_values(shrink):
    torch.manual_seed(0)
    model = Transformer((12,), 20, width=16, heads=4).build()
    x = torch.randint(0, 20, (6, 12), generator=torch.Generator().manual_seed(1))
    heads = np.random.default_rng(0).normal(size=(2, 4))
    fixed = {"blocks.0.up": ([1, 5, 60], c(0.3, -0.1, 0)), "blocks.0.attention": ([1, 3], heads),
             "blocks.1.attention": ([0, 1, 2, 3], c(0, 0, 0, 0)), "blocks.1.down": ([2], c(0.5))}  # fmt: skip
    gone = {"blocks.0.up": 3, "blocks.0.attention": 2, "blocks.1.attention": 3} if shrink else {}
    plain = {**fixed, "blocks.1.attention": ([0, 1, 2, 3], np.zeros((4, 4)))}
    new = check(model, x, plain, shrink=shrink, gone=gone)
    np.testing.assert_array_equal(
        Torch(Torch(model).rewritten(fixed, {}, shrink=shrink, x=x).model).forward(x), Torch(new.model).forward(x)
    )
    if shrink:
        block = new.model.blocks[0].attention
        assert (block.heads, block.in_proj.weight.shape, block.out_proj.weight.shape) == (2, (24, 16), (16, 8))
        assert "LayerNorm" in new.held["blocks.1.down"]
    check(model, x, {}, {"blocks.0.attention": ([2], c(3), np.ones((1, 4)))}, shrink=shrink, gone={})


def parametrized():
    return nn.Sequential(
        nn.Linear(5, 8), nn.ReLU(), parametrizations.weight_norm(nn.Linear(8, 8)), nn.ReLU(), nn.Linear(8, 3)
    )


def tied():
    model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))
    model[2].weight = model[0].weight
    return model


@pytest.mark.parametrize(("build", "why"), [(parametrized, "parametrized"), (tied, "shared")])
def test_weights_that_are_not_a_modules_own_are_left_alone(build, why):
    model, x = made(build), inputs(DENSE)
    new = check(model, x, {"2": ([0], c(1))}, shrink=True, gone={})
    assert why in new.held["2"]
    with pytest.raises(Unsupported, match=why):
        Torch(model).rewritten({"0": ([0], c(-1))}, {}, shrink=True, x=x)


class Wary(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.bend, self.out = nn.Linear(5, 8), nn.Sigmoid(), nn.Linear(8, 3)

    def forward(self, x):
        x = self.bend(self.into(x))
        if x.isnan().any():
            raise ValueError("this is not a number")
        return self.out(x)


def test_a_model_that_stops_at_nan_keeps_its_units():
    new = check(made(Wary), inputs(DENSE), {"into": ([0, 1], c(0.2, 0.5))}, shrink=True, gone={})
    assert "not a number" in new.held["into"]


def test_half_precision():
    model, x = made(lambda: Mlp((5,), hidden=(16, 16)).build(), torch.bfloat16), inputs(DENSE, torch.bfloat16)
    new = Torch(model).rewritten({"hidden_1": ([1, 3], c(0.5, 0)), "hidden_2": ([0], c(1))}, {}, shrink=True, x=x)
    assert new.removed == {"hidden_1": (1, 3), "hidden_2": (0,)}
    assert new.model.hidden_2.weight.dtype == torch.bfloat16


REFUSED = {
    "meets others": (lambda: nn.Sequential(nn.Linear(5, 8), nn.Sigmoid(), nn.LayerNorm(8), nn.Linear(8, 3)), {"0": ([0], c(2))}, "meet"),
    "returned": (lambda: nn.Sequential(nn.Linear(5, 8), nn.Sigmoid()), {"0": ([0], c(2))}, "returns"),
    "stops at NaN": (Wary, {"into": ([0], c(2))}, "not a number"),
    "both calls": (Twice, {"same": ([0], c(0.5)), "same#2": ([0], c(0.5))}, "same"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_exact_is_refused_by_name(case):
    build, fixed, why = REFUSED[case]
    with pytest.raises(Unsupported, match=why):
        Torch(made(build)).rewritten(fixed, {}, shrink=True, x=inputs(DENSE))


def test_what_can_not_be_meant_is_refused():
    net, x = Torch(made(bent(nn.ReLU()))), inputs(DENSE)
    for fixed, turned in (
        ({"0": ([5], c(0))}, {}), ({"0": ([0, 0], c(0, 0))}, {}), ({"0": ([0], c(0, 1))}, {}), ({"0": ([0], c(np.nan))}, {}),
        ({"0": ([0], c(0))}, {"0": ([0], c(1), c(1))}),
    ):  # fmt: skip
        with pytest.raises(BadValue):
            net.rewritten(fixed, turned, shrink=False, x=x)
    with pytest.raises(BadValue, match="two examples"):
        net.rewritten({"0": ([0], c(0))}, {}, shrink=False, x=x[:1])
    with pytest.raises(UnknownName):
        net.rewritten({"nothing": ([0], c(0))}, {}, shrink=False, x=x)
    prune.l1_unstructured(net.model[0], "weight", 0.5)
    net.model(x)
    with pytest.raises(Unsupported, match="copied"):
        Torch(net.model).rewritten({"0": ([0], c(0))}, {}, shrink=False, x=x)
