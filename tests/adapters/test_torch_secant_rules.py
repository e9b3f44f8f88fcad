"""Each operation's mean slopes: integrals of the derivative for single elements, complete for what mixes them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nissl.adapters.torch import Torch
from tests.adapters.secant_models import Only, rand

FUNCTIONS = {
    "relu": F.relu, "relu in place": lambda x: F.relu_(x.clone()), "gelu": F.gelu, "tanh gelu": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": lambda x: x.tanh(), "tanh_": lambda x: x.clone().tanh_(), "elu": F.elu,
    "celu": F.celu, "selu": F.selu, "leaky": F.leaky_relu, "softplus": F.softplus, "mish": F.mish, "hardtanh": F.hardtanh,
    "relu6": F.relu6, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "clamp": lambda x: x.clamp(-0.5, 0.7),
    "clip_": lambda x: x.clone().clip_(min=0), "abs": abs, "square": torch.square, "cube": lambda x: x**3, "exp": torch.exp,
    "base": lambda x: 2**x, "log": lambda x: (x + 4).log(), "sqrt": lambda x: (x + 4).sqrt(), "rsqrt": lambda x: (x + 4) ** -0.5,
    "reciprocal": lambda x: 1 / (x + 4), "logsigmoid": F.logsigmoid, "softsign": F.softsign, "sin": torch.sin,
    "prelu": lambda x: F.prelu(x, torch.tensor([0.3], dtype=torch.float64)), "softshrink": F.softshrink,
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_element_s_slope_is_the_mean_of_its_derivative_on_the_way(name):
    function, x, other = FUNCTIONS[name], rand(4, 6, seed=3), rand(4, 6, seed=4)
    other[0, :2] = x[0, :2]  # no way at all, and a tiny one: the derivative itself
    other[0, 1] += 1e-13
    net = Torch(Only(function).double())
    got = net.secant(x, other, lambda a, b: np.ones_like(a), ["a"]).slopes["a"]
    steps = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    line = (other + steps.view(-1, 1, 1) * (x - other)).requires_grad_()
    wanted = torch.autograd.grad(function(line).sum(), line)[0].mean(0)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


WHOLE = {
    "softmax": lambda x: x.softmax(-1), "log_softmax": lambda x: F.log_softmax(x, -1), "logsumexp": lambda x: x.logsumexp(-1, keepdim=True),
    "logsumexp, all": lambda x: x.logsumexp((0, 1)).expand(4, 2), "softmax, other axis": lambda x: x.unflatten(1, (2, 3)).softmax(1),
    "max": lambda x: x.max(-1, keepdim=True).values, "amax": lambda x: x.unflatten(1, (2, 3)).amax((0, 2)).expand(4, 2), "min": lambda x: x.unflatten(1, (2, 3)).min(1).values,
    "whole max": lambda x: x.max().expand(4, 2), "amin": lambda x: x.amin(-1, keepdim=True), "pool1d": lambda x: F.max_pool1d(x.unsqueeze(1), 3, 1, 1),
    "pool3d": lambda x: F.max_pool3d(x.reshape(1, 1, 2, 3, 4), 2, 1), "adaptive": lambda x: F.adaptive_max_pool2d(x.reshape(1, 4, 2, 3), (1, 2)),
    "maximum": lambda x: torch.maximum(x[:, :3], x[:, 3:]), "fmin": lambda x: torch.fmin(x[:, :3], x[:, 3:4]), "glu": lambda x: F.glu(x, -1),
    "group": lambda x: F.group_norm(x, 2), "instance": lambda x: F.instance_norm(x.reshape(4, 2, 3)), "layer": lambda x: F.layer_norm(x, (6,)),
    "var": lambda x: x.var(-1), "std": lambda x: x.std(-1), "norm": lambda x: x.norm(dim=-1),
    "cosine": lambda x: F.cosine_similarity(x[:, :3], x[:, 3:]), "prod": lambda x: x.prod(-1), "cumprod": lambda x: x.cumprod(-1),
    "einsum": lambda x: torch.einsum("bi,bj->bij", x[:, :3], x[:, 3:]), "outer": lambda x: x[:, :, None] * x[:, None], "addcmul": lambda x: torch.addcmul(x, x, x, value=0.3),
    "baddbmm": lambda x: torch.baddbmm(x.reshape(4, 2, 3)[..., :2], x.reshape(4, 2, 3), x.reshape(4, 3, 2)), "bilinear": lambda x: F.bilinear(x, x, rand(2, 6, 6)),
    "kernels from the input": lambda x: F.conv1d(x.unsqueeze(0), x.reshape(6, 4, 1)), "div": lambda x: x[:, :3] / (4 + x[:, 3:]),
    "atan2": lambda x: torch.atan2(x[:, :3], 4 + x[:, 3:]), "power": lambda x: (4 + x[:, :3]) ** x[:, 3:], "own max": lambda x: x.masked_fill(torch.eye(4, 6, dtype=torch.bool), -torch.inf).softmax(1),
    "index": lambda x: x[:, torch.tensor([0, 0, 2])], "scatter": lambda x: torch.zeros_like(x).index_add(1, torch.tensor([1, 1, 0, 2, 3, 3]), x), "gather": lambda x: x.gather(1, torch.tensor([[0, 5]] * 4)),
    "attention": lambda x: F.scaled_dot_product_attention(*[9 * x.reshape(1, 4, 6)] * 3, is_causal=True),
    "masked": lambda x: F.scaled_dot_product_attention(*[9 * x.reshape(1, 4, 6)] * 3, attn_mask=torch.ones(4, 4, dtype=torch.bool).triu()),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_what_mixes_elements_is_complete(name):
    x, other = rand(4, 6, seed=5), rand(4, 6, seed=6)
    net = Torch(Only(WHOLE[name]).double())
    weights = rand(*net.forward(x).shape, seed=7).numpy()
    done = net.secant(x, other, lambda a, b: weights, ["a"])
    got = ((done.values["a"] - done.others["a"]) * done.slopes["a"]).sum()
    np.testing.assert_allclose(got, ((done.outputs - net.forward(other)) * weights).sum(), rtol=1e-9)
    same = net.secant(x, x, lambda a, b: weights, ["a"]).slopes["a"]
    torch.testing.assert_close(same, net.gradient(x, weights, at="a"), rtol=1e-9, atol=1e-12)
