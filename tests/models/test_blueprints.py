"""Every reference network: it is built for its data, it can learn, and it says what it cannot take."""

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy, cross_entropy

from nissl import plugins
from nissl.data.binary import Binary
from nissl.data.digits import Digits
from nissl.data.iris import Iris
from nissl.errors import BadValue, DamagedData, MissingData, UnknownName
from nissl.models.basic_cnn import BasicCnn
from nissl.models.mlp import Mlp
from nissl.models.resnet20 import Resnet20
from nissl.models.simple_net import SimpleNet
from nissl.models.simple_nn import SimpleNn
from nissl.models.transformer import Transformer

NAMES = plugins.names("models")


@pytest.mark.parametrize("name", NAMES)
def test_its_nonlinearities_are_modules_after_what_they_belong_to(name: str) -> None:
    """So that nissl hears them: nothing negative leaves a ReLU that was called as a module."""
    plan = plugins.load("models", name)()
    network, heard = plan.build(), []
    for module in network.modules():
        if isinstance(module, nn.ReLU | nn.GELU):
            module.register_forward_hook(lambda _, args, output: heard.append((args[0], output)))
    x = torch.randint(0, plan.classes, (2, *plan.shape)) if name == "transformer" else torch.randn(2, *plan.shape)
    network(x)
    assert len(heard) >= 2
    assert min(before.min() for before, _ in heard) < -0.2
    assert min(after.min() for _, after in heard) > -0.2  # GELU's lowest is -0.17


@pytest.mark.parametrize(
    ("plan", "data", "steps"),
    [
        (SimpleNn(), Binary(), 80),
        (SimpleNn(shape=(4,), classes=3, hidden=1), Iris(), 80),
        (Mlp(), Digits(), 60),
        (Transformer(shape=(1, 8, 8), classes=10), Digits(), 150),
        (SimpleNet(shape=(1, 8, 8)), Digits(), 120),
        (Resnet20(shape=(1, 8, 8)), Digits(), 60),
    ],
    ids=lambda thing: thing if isinstance(thing, str) else type(thing).__name__,
)
def test_it_learns(plan, data, steps: int) -> None:
    torch.manual_seed(0)
    splits, network = data.load(), plan.build()
    x, y = torch.from_numpy(splits.train.x), torch.from_numpy(splits.train.y)
    optimizer = torch.optim.Adam(network.parameters(), 0.005)
    for step in range(steps):
        rows = torch.arange(step * 64, step * 64 + 64) % len(x)
        output = network(x[rows])
        known = plan.gives == "probability"
        loss = binary_cross_entropy(output[:, 0], y[rows].float()) if known else cross_entropy(output, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        output = network(torch.from_numpy(splits.test.x))
    found = output[:, 0] > 0.5 if plan.gives == "probability" else output.argmax(1)
    assert (found == torch.from_numpy(splits.test.y)).float().mean() > 0.7


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: SimpleNn(shape=(1, 8, 8)), r"SimpleNn takes rows of a table.*\(1, 8, 8\)"),
        (lambda: BasicCnn(shape=(1, 8, 8)), "at least 9 x 9"),
        (lambda: Resnet20(shape=(20,)), r"Resnet20 takes images.*\(20,\)"),
        (lambda: SimpleNet(shape=(3, 8, 8), variant="5m_extra_pool"), "at least 16 x 16"),
        (lambda: Transformer(shape=(1, 9, 8)), r"multiples of the patch \(2\)"),
        (lambda: Transformer(shape=(3, 4)), "takes tokens"),
        (lambda: Transformer(heads=5), "5 heads"),
        (lambda: Mlp(shape=()), "not the shape of an example"),
        (lambda: Mlp(classes=0), "at least one class"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_anything_is_built(wrong, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        wrong()


def test_an_unknown_variant_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(UnknownName, match=r"'5M'.*310k, 460k, 5m, 5m_extra_pool"):
        SimpleNet(variant="5M")


def test_simple_nn_is_nn_stainings() -> None:
    network = SimpleNn(hidden=1).build()
    shapes = {name: tuple(value.shape) for name, value in network.named_parameters() if name.endswith("weight")}
    assert shapes == {"input.weight": (10, 20), "hidden_1.weight": (10, 10), "output.weight": (1, 10)}
    x = torch.randn(5, 20)
    hidden = torch.relu(network.hidden_1(torch.relu(network.input(x))))
    torch.testing.assert_close(network(x), torch.sigmoid(network.output(hidden)))
    assert [name for name, module in SimpleNn().build().named_children() if isinstance(module, nn.Linear)] == [
        *("input", "hidden_1", "hidden_2", "output")
    ]


def test_basic_cnn_gives_exigos_pair_of_logits_and_embedding() -> None:
    network = BasicCnn(embedding=True).build()
    logits, embedding = network(torch.randn(2, 1, 28, 28))
    assert embedding.shape == (2, 400)
    torch.testing.assert_close(logits, network.output(embedding))


def test_checkpoints_that_do_not_fit_are_refused(tmp_path) -> None:
    def load(content) -> None:
        torch.save(content, tmp_path / "weights.pt")
        Mlp(weights=str(tmp_path / "weights.pt")).build()

    with pytest.raises(DamagedData, match=r"another network.*hidden_1\.weight.*conv1\.weight"):
        load(Resnet20().build().state_dict())
    with pytest.raises(DamagedData, match=r"output\.weight \(3, 32\)"):
        load(Mlp(classes=3).build().state_dict())
    with pytest.raises(DamagedData, match="no table of weights"):
        load([1, 2])
    with pytest.raises(DamagedData, match="torch can read"):  # what is more than weights is not unpickled
        load(Mlp().build())
    (tmp_path / "weights.pt").write_bytes(b"half")
    with pytest.raises(DamagedData, match="torch can read"):
        Mlp(weights=str(tmp_path / "weights.pt")).build()
    with pytest.raises(MissingData, match="no checkpoint"):
        Mlp(weights=str(tmp_path / "none.pt")).build()
