"""Graphs of torch models: which modules and functions a pass shows, what feeds what, and autograd's functions behind them."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.errors import BadValue, NisslWarning, NotHeard
from tests.core.architectures import ARCHITECTURES, ResNet, Twice


def drawn(name, kind="modules"):
    model, x = ARCHITECTURES[name]
    torch.manual_seed(0)
    made = model()
    return made, nissl.graph(made, x(), kind)


def feeds(graph, path):
    """The paths of what leads to a node."""
    one = graph[path].id
    by_id = {node.id: node.path for node in graph.nodes}
    return sorted(by_id[a] for a, b in graph.edges if b == one)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_layers_are_nodes_and_are_fed_as_autograd_says(name):
    """The independent reference: `layer.inputs`, which are read from the graph that autograd keeps."""
    model, graph = drawn(name)
    net = nissl.network(model)
    net.gradient(ARCHITECTURES[name][1](), lambda out: next(iter(_tensors(out))).sum(), at=net.layers[0].name)
    layers = {layer.name: layer for layer in net.layers if not layer.name.endswith(".heads")}
    ids = {graph[name].id: name for name in layers}
    before = {}
    for a, b in graph.edges:
        before.setdefault(b, []).append(a)

    def behind(one):
        found, stack = set(), list(before.get(one, []))
        while stack:
            at = stack.pop()
            if at in ids:
                found.add(ids[at])
            else:
                stack += before.get(at, [])
        return found

    for one, own in ids.items():
        assert behind(one) == {i for i in layers[own].inputs if i in layers}, own


def _tensors(out):
    return out.values() if isinstance(out, dict) else out if isinstance(out, tuple) else [out]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_parameter_is_counted_and_nothing_is_changed(name):
    model, x = ARCHITECTURES[name]
    made, given = model(), x()
    before = copy.deepcopy(made.state_dict())
    state = torch.get_rng_state()
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in made.modules()]
    modes = [m.training for m in made.modules()]
    graphs = [nissl.graph(made, given, kind) for kind in ("modules", "autograd")]
    assert torch.equal(torch.get_rng_state(), state)
    assert [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in made.modules()] == hooks
    assert [m.training for m in made.modules()] == modes
    assert all(torch.equal(before[key], value) for key, value in made.state_dict().items())
    for graph in graphs:
        assert graph.params == sum(p.numel() for p in made.parameters())
    used = {n.path.partition("#")[0]: n.params for n in graphs[0].nodes if n.id not in graphs[0].blocks}
    assert sum(used.values()) == graphs[0].params
    kept = {n.path: n.params for n in graphs[1].nodes if n.role == "parameter"}
    assert kept == {name: p.numel() for name, p in made.named_parameters()}


def test_resnet_50_is_what_was_published():
    graph = nissl.graph(ResNet(), torch.zeros(1, 3, 64, 64))
    assert graph.params == 25_557_032
    kinds = [node.type for node in graph.nodes if node.id not in graph.blocks]
    assert [kinds.count(kind) for kind in ("Conv2d", "BatchNorm2d", "ReLU", "add", "Linear")] == [53, 53, 49, 16, 1]
    assert len(graph.collapsed(2).nodes) == 29  # 4 stages with 16 blocks, and 9 nodes before and after
    assert graph["layer4.2.conv3"].shape == (1, 2048, 2, 2)
    assert feeds(graph, "layer2.0.add") == ["layer2.0.bn3", "layer2.0.downsample.1"]
    assert feeds(graph, "layer2.1.add") == ["layer2.0.relu#3", "layer2.1.bn3"]


def test_shared_modules_are_a_node_for_each_call_and_values_pass_what_hands_them_on():
    _, graph = drawn("shared")
    assert [n.path for n in graph.nodes if n.type == "Linear"] == ["block.0", "block.0#2", "block.0#3"]
    assert feeds(graph, "block.0#2") == ["block.1"]
    assert feeds(graph, "add") == ["block.1#2", "short"]
    assert feeds(graph, "block.0") == ["input"]  # not "short", which hands on the same tensor
    assert feeds(graph, "setitem") == ["clone", "getitem"]
    assert feeds(graph, "matmul") == ["setitem"]
    assert graph["matmul"].params == 24
    assert feeds(graph, "output.1") == ["drop"]
    assert not [node for node in graph.nodes if node.type in ("mul", "sum")]  # nobody takes what they make


def test_dicts_tuples_and_several_inputs_have_names():
    _, graph = drawn("LSTM")
    assert [n.path for n in graph.nodes if n.role == "output"] == ["output.logits", "output.hidden", "output.mean"]
    assert feeds(graph, "output.hidden") == ["lstm"]

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Bilinear(3, 4, 5)

        def forward(self, a, b):
            return self.one(a, b)

    graph = nissl.graph(Two(), (torch.ones(2, 3), torch.ones(2, 4)))
    assert feeds(graph, "one") == ["input.0", "input.1"]
    same = torch.ones(2, 3)

    class Sum(nn.Linear):
        def forward(self, a, b):
            return super().forward(a) + b.sum()

    assert feeds(nissl.graph(Sum(3, 1), (same, same)), "sum") == ["input.1"]
    named = nissl.graph(Two(), {"a": torch.ones(2, 3), "b": torch.ones(2, 4)})
    assert feeds(named, "one") == ["input.a", "input.b"]


class Doubling(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, slope):
        return slope * 2


@pytest.mark.parametrize(
    ("function", "types"),
    [
        (lambda x: F.relu(x) + x, ["relu", "add"]),
        (lambda x: x.relu_().mul_(3), ["relu_", "mul_"]),
        (lambda x: 1 - x, ["sub"]),
        (lambda x: torch.cat([x, x.T.T], 1), ["T", "T", "cat"]),
        (lambda x: Doubling.apply(x) + 1, ["mul", "add"]),
        (lambda x: torch.ops.aten.relu(x).view(-1), ["relu", "view"]),
        (lambda x: x.split(2, 1)[1] * x.size(0), ["split", "mul"]),
        (lambda x: F.dropout(x, training=False).contiguous().abs(), ["abs"]),
        (lambda x: torch.where(x > 0, x, torch.zeros_like(x)), ["gt", "zeros_like", "where"]),
        (lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None]), 3 * ["getitem"] + ["scaled_dot_product_attention"]),
    ],
    ids=lambda given: None if callable(given) else "-".join(given),
)  # fmt: skip
def test_functions_are_nodes(function, types):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(6, 6)

        def forward(self, x):
            return function(self.first(x))

    graph = nissl.graph(Model(), torch.randn(4, 6))
    assert [n.type for n in graph.nodes if n.role == "function"] == [t.rstrip("_") for t in types]
    ends = {a for a, _ in graph.edges} | {b for _, b in graph.edges}
    assert ends == {n.id for n in graph.nodes}  # nothing stands alone
    with torch.no_grad():
        assert graph.nodes[-1].shape == tuple(Model()(torch.randn(4, 6)).shape)


def test_autograd_functions_lie_in_the_modules_that_called_them():
    model, graph = drawn("perceptron", "autograd")
    kept = {n.path: n.shape for n in graph.nodes if n.role == "parameter"}
    assert kept == {name: tuple(p.shape) for name, p in model.named_parameters()}
    by_id = {n.id: n for n in graph.nodes}
    for node in graph.nodes:
        if node.type == "Addmm":
            assert by_id[node.parent].type == "Linear"
    assert by_id[graph["1.weight"].parent].path == "1"
    assert graph["output"].shape == (2, 10)


def test_autograd_has_as_many_functions_as_its_own_walk_finds():
    for name in ARCHITECTURES:
        model, x = ARCHITECTURES[name]
        made = model().eval()
        given = x()
        out = made(given.requires_grad_() if given.is_floating_point() else given)
        seen, stack = set(), [t.grad_fn for t in _tensors(out)]
        while stack:
            one = stack.pop()
            if one is not None and one not in seen:
                seen.add(one)
                stack += [below for below, _ in one.next_functions]
        graph = nissl.graph(made, x(), "autograd")
        inner = [n for n in graph.nodes if n.id not in graph.blocks and n.role != "output"]
        assert len(inner) == len(seen), name


def test_what_cannot_be_drawn_is_refused():
    model = nn.Linear(3, 2)
    with pytest.raises(BadValue, match="example"):
        nissl.graph(model)
    assert [n.type for n in nissl.graph(model, torch.ones(1, 3)).nodes] == ["input", "Linear", "output"]
    for p in model.parameters():
        p.requires_grad_(False)
    ints = nn.Sequential(nn.Embedding(3, 2)).requires_grad_(False)
    with pytest.raises(NotHeard, match="Autograd kept nothing"):
        nissl.graph(ints, torch.tensor([1]), "autograd")

    class Nothing(nn.Linear):
        def forward(self, x):
            return None

    with pytest.raises(NotHeard, match="NoneType"):
        nissl.graph(Nothing(1, 1), torch.ones(1))

    class Mapped(nn.Linear):
        def forward(self, x):
            return super().forward(x), torch.vmap(lambda row: row * 2)(x)

    with pytest.warns(NisslWarning, match=r"output\.1 can't be followed"):
        nissl.graph(Mapped(1, 1), torch.ones(1, 1))

    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            raise ZeroDivisionError(self.inner(x))

    failing = Failing()
    for kind in ("modules", "autograd"):
        with pytest.raises(ZeroDivisionError):
            nissl.graph(failing, torch.ones(1, 2), kind)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in failing.modules())
    assert torch.ones(1).add(1) == 2


def test_a_compiled_model_is_drawn_as_it_was_written():
    model = Twice()
    eager, compiled = (nissl.graph(m, torch.ones(2, 8)) for m in (model, torch.compile(model, backend="eager")))
    assert compiled.nodes == eager.nodes
    assert compiled.edges == eager.edges
