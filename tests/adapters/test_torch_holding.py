"""Held units do not learn, whatever the optimiser does; all others learn as ever."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from nissl.adapters.torch import Torch
from nissl.errors import BadValue, Unsupported
from nissl.models.transformer import Transformer

OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
    "sgd, foreach": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1, foreach=True),
    "adam": lambda p: torch.optim.Adam(p, 0.05, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.1, amsgrad=True),
    "adamw, fused": lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.1, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.05, momentum=0.9, centered=True),
    "lbfgs": lambda p: torch.optim.LBFGS(p, 0.05, max_iter=3),
}


class Plain(nn.Module):
    """Which norm follows what, only a pass shows."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.out = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 3)

    def forward(self, x):
        return self.out(self.bn(self.conv(x)).relu().mean((2, 3)))


def train(model, optimiser, x, steps=3):
    def closure():
        optimiser.zero_grad()
        loss = model(x).square().sum() + model(x).sum()
        loss.backward()
        return loss

    for _ in range(steps):
        optimiser.step(closure)


def copies(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_held_units_stay_bit_by_bit_and_the_others_learn(name):
    torch.manual_seed(0)
    model, x = Plain(), torch.randn(8, 2, 6, 6)
    optimiser = OPTIMISERS[name](model.parameters())
    train(model, optimiser, x)  # momentum that would go on
    before = copies(model)
    with Torch(model).hold({"conv": [1, 3], "out": [0]}):
        train(model, optimiser, x)
    after = copies(model)
    for key, units in {"conv": [1, 3], "bn": [1, 3], "out": [0]}.items():
        others = [unit for unit in range(len(before[f"{key}.bias"])) if unit not in units]
        for kind in ("weight", "bias"):
            old, new = before[f"{key}.{kind}"], after[f"{key}.{kind}"]
            assert torch.equal(old[units], new[units])
            if not (key == "conv" and kind == "bias"):  # which the norm takes away
                assert (old[others] != new[others]).flatten(1 if old.dim() > 1 else 0).any(-1).all()
    train(model, optimiser, x)
    assert (copies(model)["conv.weight"][[1, 3]] != after["conv.weight"][[1, 3]]).any()


def test_the_others_learn_as_if_the_held_had_no_gradient():
    def trained(hold):
        torch.manual_seed(0)
        model, x = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)), torch.randn(8, 4)
        if not hold:
            model[0].weight.register_hook(lambda g: g.index_fill(0, torch.tensor([2]), 0))
            model[0].bias.register_hook(lambda g: g.index_fill(0, torch.tensor([2]), 0))
        optimiser, net = torch.optim.Adam(model.parameters(), 0.1), Torch(model)
        with net.hold({"0": [2] if hold else []}):
            train(model, optimiser, x)
        return copies(model)

    held, by_hand = trained(True), trained(False)
    assert all(torch.equal(held[name], by_hand[name]) for name in held)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_units_of_a_recurrent_layer_are_their_gates_in_both_directions(kind):
    torch.manual_seed(0)
    model, x = kind(3, 4, bidirectional=True), torch.randn(5, 2, 3)
    net, before = Torch(model), copies(model)
    optimiser, had = torch.optim.SGD(model.parameters(), 0.1), net.weights("model")
    with net.hold({"model": [1, 6]}):
        model(x)[0].square().sum().backward()
        optimiser.step()
    for name, array in net.weights("model").items():
        same = (array == had[name]).all(1)
        assert same.tolist() == [unit in (1, 6) for unit in range(8)], name
    assert before.keys() == copies(model).keys()


def test_an_embedding_s_features_sparse_or_not_and_more_than_one_hold():
    for sparse in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(7, 4, sparse=sparse), nn.Linear(4, 3))
        net, optimiser, before = Torch(model), torch.optim.SGD(model.parameters(), 0.1), copies(model)
        with net.hold({"0": [1]}), net.hold({"0": [3], "1": [2]}):
            train(model, optimiser, torch.arange(7))
        changed = (copies(model)["0.weight"] != before["0.weight"]).any(0)
        assert changed.tolist() == [True, False, True, False]
        assert torch.equal(copies(model)["1.weight"][2], before["1.weight"][2])


def test_what_can_not_be_held_is_refused():
    net = Torch(Transformer((8,), 5, width=8, heads=2).build())
    with pytest.raises(Unsupported, match="heads"), net.hold({"blocks.0.attention": [0]}):
        pass
    for wrong in ([32], [-1], [0, 0], [0.5]):
        with pytest.raises(BadValue), net.hold({"blocks.0.up": wrong}):
            pass
    spectral = Torch(nn.Sequential(parametrizations.spectral_norm(nn.Linear(3, 3)), nn.ReLU()))
    with pytest.raises(Unsupported, match="weight"), spectral.hold({"0": [1]}):
        pass
