"""What is heard in real training loops, against a reference computed without any hook; and that training never notices."""

# ruff: noqa: NPY002 - what users' models draw from is what must stay
import copy
import io
import pickle
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from nissl.adapters.torch import Torch
from nissl.errors import BadValue, NisslWarning, Unsupported


class Net(nn.Module):
    """Dropout, a norm, an in-place nonlinearity, and a body that may be checkpointed."""

    def __init__(self, how=None):
        super().__init__()
        self.stem = nn.Linear(6, 8)
        self.body = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Dropout(0.3))
        self.act, self.head, self.how = nn.Tanh(), nn.Linear(8, 3), how

    def forward(self, x):
        x = self.act(self.stem(x))
        x = self.body(x) if self.how is None else checkpoint(self.body, x, **self.how)
        return self.head(x)


pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # reentrant, in evaluation
CHECKPOINTS = [None, {"use_reentrant": True}, {"use_reentrant": False}]


def listener(seen):
    return lambda name, value: seen.setdefault(name, []).append(value.clone())


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def data():
    torch.manual_seed(3)
    return [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(4)]


def train(model, around=None, each=lambda model: None):
    """Two epochs with Adam and an evaluation between; returns losses."""
    torch.manual_seed(7)
    optimizer, losses = torch.optim.Adam(model.parameters(), 0.01), []
    for _ in range(2):
        for x, y in data_once:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            model(data_once[0][0])
        each(model)
        model.train()
    return losses


data_once = data()


def fresh(how=None):
    torch.manual_seed(0)
    return Net(how)


def look(net, how):
    x = data_once[0][0]
    net.probe(x)
    if how == {"use_reentrant": True}:
        with pytest.raises(Unsupported, match="use_reentrant=False"):
            net.gradient(x, 1)
    else:
        net.gradient(x, 1)


@pytest.mark.parametrize("how", CHECKPOINTS)
@pytest.mark.parametrize("functional", [False, True])
def test_watching_changes_no_bit_of_training(how, functional):
    plain, watched = fresh(how), fresh(how)
    wanted = train(plain)
    net = Torch(watched, functional=functional)
    with (
        net.watch(lambda *_: None, "*", passes="training"),
        net.watch(lambda *_: None, "*", place="gradient", passes="training"),
        net.watch_outputs(lambda *_: None),
        net.watch_parameter_gradients(["stem", "head"]),
    ):
        got = train(watched, each=lambda _: look(net, how))
    assert got == wanted
    for (name, a), b in zip(plain.state_dict().items(), watched.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert hooks(watched) == 0


@pytest.mark.parametrize("how", CHECKPOINTS)
def test_every_training_pass_is_told_once_a_layer_evaluation_and_recomputation_never(how):
    model, seen = fresh(how), {}
    with Torch(model).watch(listener(seen), "*", passes="training"):
        train(model)
    assert {name: len(values) for name, values in seen.items()} == {"stem": 8, "body.0": 8, "head": 8}
    assert (seen["body.0"][0] >= 0).all()


@pytest.mark.parametrize("how", CHECKPOINTS)
def test_gradients_of_activations_are_autograds(how):
    model, x = fresh(how).double(), torch.randn(5, 6, dtype=torch.float64)
    seen, net = {}, Torch(model)
    with net.watch(listener(seen), "*", place="gradient", passes="training"):
        for _ in range(3):
            torch.manual_seed(11)
            model(x).square().sum().backward()
    torch.manual_seed(11)
    stem = torch.tanh(model.stem(x)).detach().requires_grad_()
    body = torch.relu(model.body[1](model.body[0](stem))).detach().requires_grad_()
    head = model.head(model.body[3](body))
    head.retain_grad()
    head.square().sum().backward()
    torch.relu(model.body[1](model.body[0](stem))).backward(body.grad)
    for name, wanted in {"stem": stem.grad, "body.0": body.grad, "head": head.grad}.items():
        assert len(seen[name]) == 3, name
        for value in seen[name]:
            torch.testing.assert_close(value, wanted)


def test_accumulated_gradients_and_several_passes_a_step():
    model, seen, gradients = fresh(), {}, {}
    net = Torch(model)
    with net.watch(listener(seen), "*"), net.watch(listener(gradients), "*", place="gradient"):
        for _ in range(2):
            (model(data_once[0][0]).sum() + model(data_once[1][0]).sum()).backward()
    assert len(seen["head"]) == len(gradients["head"]) == 4
    assert torch.equal(seen["head"][0], seen["head"][0])


def test_parts_of_a_model_may_be_called_without_it():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.make = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
            self.judge = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))

    model, seen = Two(), {}
    net = Torch(model)
    with net.watch(listener(seen), "*", passes="training"):
        for _ in range(3):
            model.judge(torch.randn(5, 3)).sum().backward()
            model.judge(model.make(torch.randn(5, 2))).sum().backward()
            model.make[0](torch.randn(1, 2))  # a single layer is a pass of its own, not its neighbour's
    assert {n: len(v) for n, v in seen.items()} == {"make.0": 3, "make.2": 3, "judge.0": 6, "judge.2": 6}
    assert [layer.name for layer in net.layers] == ["make.0", "make.2", "judge.0", "judge.2"]


def test_a_pass_that_fails_is_forgotten():
    model, seen = fresh(), {}
    with Torch(model).watch(listener(seen), "*", passes="training"):
        for x in (torch.randn(5, 6), torch.randn(5, 7), torch.randn(5, 6)):
            try:
                model(x).sum().backward()
            except RuntimeError:
                seen["failed"] = [x]
    assert {n: len(v) for n, v in seen.items()} == {"stem": 2, "body.0": 2, "head": 2, "failed": 1}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_values_are_told_as_they_are(dtype):
    model, seen = fresh(), {}
    net = Torch(model)
    with net.watch(listener(seen), "*", passes="training"):
        for x, _ in data_once[:2]:
            with torch.autocast("cpu", dtype):
                model(x).float().sum().backward()
    assert seen["head"][1].dtype == dtype
    assert net.to_numpy(seen["head"][1]).dtype == (np.float32 if dtype == torch.bfloat16 else np.float16)
    sums = net.accumulator(net.layer("stem"), classes=3)
    for value, (_, y) in zip(seen["stem"], data_once[:2], strict=True):
        sums.fold(value, net.groups(y))
    rows = torch.cat(seen["stem"]).double()
    np.testing.assert_allclose(sums.read().mean, rows.mean(0).numpy(), atol=1e-7)


def test_passes_inside_function_transforms_are_not_heard():
    model, seen, x = nn.Sequential(nn.Linear(6, 3), nn.ReLU()), [], data_once[0][0]
    with Torch(model).watch(lambda name, value: seen.append(value.shape), "*"):
        torch.func.vmap(torch.func.jacrev(model))(x)
        model(x)
    assert seen == [(5, 3)]


def test_what_fails_in_a_listener_ends_that_layer_and_not_the_training():
    model = fresh()

    def fails(name, value):
        if name == "stem":
            raise ZeroDivisionError("broken")
        rest.append(name)

    rest, net = [], Torch(model)
    with net.watch(fails, "*", passes="training"), pytest.warns(NisslWarning, match="stem.*broken") as told:
        for x, _ in data_once:
            model(x).sum().backward()
    assert len(told) == 1 and len(rest) == 8

    def refuses(name, value):
        raise BadValue("asked wrongly")

    with pytest.raises(BadValue), net.watch(refuses, "*", passes="training"):
        model(data_once[0][0])
    with pytest.raises(ZeroDivisionError), net.watch(fails, "*"):  # a listener of the user's own: theirs to see
        model(data_once[0][0])
    assert hooks(model) == 0


def test_copies_and_saved_models_do_not_hear_and_need_no_nissl():
    model, seen = fresh(), {}
    net, x = Torch(model), data_once[0][0]
    with net.watch(listener(seen), "*"), net.watch_outputs(listener(seen)), net.change("stem", [0]):
        model(x)
        before = {n: len(v) for n, v in seen.items()}
        saved = io.BytesIO()
        torch.save(model, saved)
        assert b"nissl" not in saved.getvalue()
        saved.seek(0)
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(saved, weights_only=False)):
            out = twin.eval()(x)
            assert torch.equal(twin(x), out)
        assert {n: len(v) for n, v in seen.items()} == before
        model(x)
        assert all(len(v) == 2 for v in seen.values())


def test_evaluating_leaves_every_bit_where_it_was():
    class Odd(Net):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, x):
            self.calls += 1 + torch.rand(1)
            self.drawn = random.random() + np.random.rand()
            return super().forward(x)

    model = Odd()
    model.body[1].eval()
    net = Torch(model)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    drawn = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    buffer = model.calls
    first = net.forward(data_once[0][0])
    assert np.array_equal(first, net.forward(data_once[0][0]))
    net.gradient(data_once[0][0], 1, at="stem")
    assert model.calls is buffer
    assert all(torch.equal(state[k], v) for k, v in model.state_dict().items())
    assert modes == [m.training for m in model.modules()]
    assert torch.equal(drawn[0], torch.get_rng_state()) and drawn[1] == random.getstate()
    assert np.array_equal(drawn[2], np.random.get_state()[1])
    assert all(p.grad is None for p in model.parameters())


def test_distributed_data_parallel_in_one_process(tmp_path):
    dist = torch.distributed
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        model = nn.parallel.DistributedDataParallel(fresh())
        net, seen = Torch(model), {}
        assert [layer.name for layer in net.layers] == ["stem", "body.0", "head"]
        with net.watch(listener(seen), "*", passes="training"), net.watch_outputs(listener(seen), passes="training"):
            train(model)
        assert {name: len(v) for name, v in seen.items()} == {"stem": 8, "body.0": 8, "head": 8, "": 8}
    finally:
        dist.destroy_process_group()
    assert hooks(model.module) == 0
