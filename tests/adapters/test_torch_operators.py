"""A compiled graph hands over the values that an uncompiled one does, and stops when told."""

import shutil

import pytest

torch = pytest.importorskip("torch")

from nissl.adapters._torch import operators  # noqa: E402

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")


@pytest.fixture
def heard_by_compiled():
    """A small network, a way to run it compiled, and what its hidden layer's hook was given."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    heard, token = [], torch.zeros(1)
    handle = operators.add(lambda value: heard.append(value.detach().clone()))

    def hook(_module, _inputs, output):
        operators.hear(output, handle, token)

    hook_handle = model[1].register_forward_hook(hook)
    yield model, heard, handle, hook_handle
    operators.remove(handle)
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # inductor's own
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=needs_compiler)])
def test_values_reach_the_listener_from_a_full_graph(heard_by_compiled, backend):
    model, heard, _, _ = heard_by_compiled
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    inputs = torch.randn(2, 3, 4)
    for x in inputs:
        compiled(x).sum().backward()
    assert len(heard) == 2
    for x, value in zip(inputs, heard, strict=True):
        torch.testing.assert_close(value, torch.relu(model[0](x)).detach())


def test_gradients_are_as_without_the_listener(heard_by_compiled):
    model, _, _, hook_handle = heard_by_compiled
    x = torch.randn(3, 4)
    torch.compile(model, backend="aot_eager", fullgraph=True)(x).sum().backward()
    with_listener = [p.grad.clone() for p in model.parameters()]
    hook_handle.remove()
    model.zero_grad()
    model(x).sum().backward()
    for a, b in zip(with_listener, model.parameters(), strict=True):
        torch.testing.assert_close(a, b.grad)


def test_nothing_arrives_after_remove_even_from_a_graph_compiled_before(heard_by_compiled):
    model, heard, handle, _ = heard_by_compiled
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    compiled(torch.randn(3, 4))
    assert len(heard) == 1
    operators.remove(handle)
    compiled(torch.randn(3, 4))
    assert len(heard) == 1


def test_the_eager_call_is_the_same():
    heard = []
    handle = operators.add(heard.append)
    operators.hear(torch.arange(3.0), handle, torch.zeros(1))
    operators.remove(handle)
    operators.hear(torch.arange(3.0), handle, torch.zeros(1))
    assert [v.tolist() for v in heard] == [[0.0, 1.0, 2.0]]
