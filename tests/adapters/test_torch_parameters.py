"""A torch layer's parameters, unit first whatever torch's order."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from nissl.adapters.torch import Torch
from nissl.errors import Unsupported


def test_parameters_stand_unit_first_whatever_torchs_order():
    up, words = nn.ConvTranspose2d(4, 6, 3, groups=2), nn.Embedding(9, 5)
    net = Torch(nn.ModuleDict({"up": up, "words": words}))
    weight = net.weights("up")["weight"]
    assert weight.shape == (6, 2, 3, 3)
    for out in range(6):  # output channel `out` is column out % 3 of group out // 3, whose inputs are two of the four
        group = out // 3
        wanted = up.weight[2 * group : 2 * group + 2, out % 3].detach().numpy()
        np.testing.assert_array_equal(weight[out], wanted)
    np.testing.assert_array_equal(net.weights("words")["weight"], words.weight.detach().numpy().T)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_units_row_holds_all_its_gates(kind):
    rnn = kind(3, 4, num_layers=2, bidirectional=True, bias=True)
    net = Torch(nn.ModuleDict({"rnn": rnn}))
    gates = rnn.weight_ih_l1.shape[0] // 4
    found = net.weights("rnn")
    assert found["weight_ih_l1"].shape == (8, gates * 8)
    for unit in range(4):
        rows = rnn.weight_ih_l1_reverse[unit::4].detach().numpy()
        np.testing.assert_array_equal(found["weight_ih_l1"][4 + unit], rows.ravel())
    net.edit("rnn", {key: np.arange(v.size, dtype=np.float32).reshape(v.shape) for key, v in found.items()})
    again = net.weights("rnn")
    for value in again.values():
        np.testing.assert_array_equal(value.ravel(), np.arange(value.size))


def test_parametrized_weights_are_read_and_written_as_the_weight_that_they_make():
    spectral, normed = parametrizations.spectral_norm(nn.Linear(3, 4)), parametrizations.weight_norm(nn.Linear(3, 4))
    net = Torch(nn.ModuleDict({"s": spectral, "n": normed}).train())
    assert [layer.name for layer in net.layers] == ["s", "n"]
    before = {k: v.clone() for k, v in spectral.state_dict().items()}
    net.weights("s")
    assert all(torch.equal(before[k], v) for k, v in spectral.state_dict().items())
    new = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    net.edit("n", {"weight": new})
    np.testing.assert_allclose(net.weights("n")["weight"], new, rtol=1e-6)


def test_weights_that_are_made_anew_in_each_pass_are_not_edited():
    pruned = nn.Linear(3, 4)
    prune.random_unstructured(pruned, "weight", 0.5)
    net = Torch(nn.ModuleDict({"p": pruned}))
    assert net.weights("p")["weight"].shape == (4, 3)
    with pytest.raises(Unsupported, match="remove"):
        net.edit("p", {"weight": np.zeros((4, 3))})


def test_every_reading_of_gradients_begins_with_a_step_that_is_looked_at():
    model = nn.Sequential(nn.Linear(3, 2))
    net, optimizer = Torch(model), torch.optim.SGD(model.parameters(), 0.1)
    with net.watch_parameter_gradients(["0"], every=16) as read:
        for _ in range(3):  # epochs of fewer steps than `every`
            for step in range(4):
                optimizer.zero_grad()
                (model(torch.ones(2, 3)) * (step + 1)).sum().backward()
                optimizer.step()
            found = read()["0"]
            assert found.steps == 1
            np.testing.assert_allclose(found.magnitude, 2.0)
