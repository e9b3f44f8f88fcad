"""Compiled models are heard too, whenever they are opened; checked by plain calls against the same model run as Python."""

import pytest
import torch
from torch import nn

from nissl.adapters.torch import Torch
from nissl.errors import Unsupported

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # from tracing, without nissl too


class Counting:
    """A back end that runs graphs as they are, and counts them."""

    def __init__(self):
        self.graphs = self.runs = 0

    def __call__(self, graph, inputs):
        self.graphs += 1

        def run(*args):
            self.runs += 1
            return graph(*args)

        return torch.compiler.disable(run)  # as real back ends are


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    assert torch._dynamo.eval_frame._stance.stance == "default"


@pytest.mark.parametrize("opened", ["before", "after"])
@pytest.mark.parametrize("how", ["wrapped", "in place", "full graph"])
def test_every_training_pass_of_a_compiled_model_is_heard(how, opened):
    inner, backend, inputs = model(), Counting(), [torch.randn(5, 6) for _ in range(4)]
    compiled = inner
    if how == "in place":
        inner.compile(backend=backend)
    else:
        compiled = torch.compile(inner, backend=backend, fullgraph=how == "full graph")
    if opened == "after":
        compiled(inputs[0]).sum().backward()
    net, seen, outputs = Torch(compiled), {}, []
    with (
        net.watch(lambda name, value: seen.setdefault(name, []).append(value.clone()), "*", passes="training"),
        net.watch_outputs(lambda _, value: outputs.append(value.clone()), passes="training"),
    ):
        backend.runs, graphs = 0, []
        for x in inputs:
            compiled(x).sum().backward()
            compiled.eval()
            with torch.no_grad():
                compiled(x)
            compiled.train()
            net.probe(x)
            graphs.append(backend.graphs)
        assert backend.runs >= 6, "it ran as Python"
        assert graphs[2] == graphs[3], "it is compiled again and again"
    for i, x in enumerate(inputs):
        first = torch.relu(inner[0](x))
        second = torch.tanh(inner[3](inner[2](first)))
        for name, wanted in {"0": first, "2": second, "5": inner[5](second)}.items():
            torch.testing.assert_close(seen[name][i], wanted)
        torch.testing.assert_close(outputs[i], inner[5](second))
    assert {name: len(values) for name, values in seen.items()} == {"0": 4, "2": 4, "5": 4}
    compiled(inputs[0])
    assert len(seen["0"]) == 4
    assert net.layer("5").inputs == ("2",)


def test_a_compiled_block_and_a_module_called_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = torch.compile(nn.Sequential(nn.Linear(4, 4), nn.Tanh()), backend="eager")

        def forward(self, x):
            return self.block(self.block(x))

    net, seen = Torch(Twice()), {}
    with net.watch(lambda name, value: seen.setdefault(name, []).append(value.clone()), "*"):
        for _ in range(3):
            net.model(torch.ones(2, 4)).sum().backward()
    assert {name: len(values) for name, values in seen.items()} == {"block.0": 3, "block.0#2": 3}
    torch.testing.assert_close(seen["block.0#2"][2], net.model.block(seen["block.0"][2]))


def test_changes_reach_compiled_graphs_and_leave_them():
    inner = model().eval()
    compiled, x = torch.compile(inner, backend="eager"), torch.randn(5, 6)
    before, net = compiled(x), Torch(compiled)
    hidden = torch.relu(inner[0](x))
    hidden[:, 2] = 0.5
    with net.change("0", [2], 0.5):
        changed = compiled(x)
    torch.testing.assert_close(changed, inner[2:](hidden))
    torch.testing.assert_close(compiled(x), before)
    grad = net.gradient(x, 1, at="0")
    leaf = torch.relu(inner[0](x)).detach().requires_grad_()
    torch.testing.assert_close(grad, torch.autograd.grad(inner[2:](leaf)[:, 1].sum(), leaf)[0])


def test_a_compiled_training_step_around_the_model_is_heard_when_opened_first():
    inner, seen = model(), {}
    net = Torch(inner)
    step = torch.compile(lambda x: inner(x).square().sum(), backend="eager")
    with net.watch(lambda name, value: seen.setdefault(name, []).append(value.clone()), "*", passes="training"):
        for _ in range(3):
            step(torch.ones(2, 6)).backward()
    assert {name: len(values) for name, values in seen.items()} == {"0": 3, "2": 3, "5": 3}


def test_what_graphs_do_not_show_is_refused_by_name():
    compiled = torch.compile(model(), backend="eager")
    with pytest.raises(Unsupported, match="Gradients"), Torch(compiled).watch(print, "*", place="gradient"):
        pass
    with pytest.raises(Unsupported, match="functional"):
        Torch(compiled, functional=True)
