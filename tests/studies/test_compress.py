"""A network in a small file: what comes out is what went in, and how small it is."""

import copy
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.errors import BadValue, DamagedData, MissingData, Unsupported
from nissl.studies.compress import Compressed
from tests.studies.digits import accuracy, digits, learn, perceptron, trained

X = torch.as_tensor(digits().test.x)


@pytest.fixture(scope="module")
def small() -> Compressed:
    return nissl.compress(
        trained(), tuple(digits().train), share=0.8, bits=4, finetune=lambda m: learn(m, 4), test=tuple(digits().test)
    )


def test_the_file_gives_back_the_same_network(small: Compressed, tmp_path: Path) -> None:
    file = small.save(tmp_path / "new" / "small.nissl")
    assert file.stat().st_size == small.stages[-1].bytes
    assert list(file.parent.iterdir()) == [file]
    into = perceptron(seed=5)
    state = copy.deepcopy(into.state_dict())
    back = nissl.decompress(file, into)
    assert torch.equal(back(X), small.model(X))
    assert all(torch.equal(state[name], value) for name, value in into.state_dict().items())


def test_it_is_small_and_as_good(small: Compressed) -> None:
    names = [stage.name for stage in small.stages]
    sizes = [stage.bytes for stage in small.stages]
    assert names == ["given", "pruned", "shared", "coded"]
    assert sizes == sorted(sizes, reverse=True)
    numbers = sum(p.numel() for p in trained().parameters())
    assert 0 <= sizes[0] - 4 * numbers < 400
    assert small.ratio > 12
    assert small.stages[0].accuracy == pytest.approx(accuracy(trained()))
    assert small.stages[-1].accuracy == pytest.approx(accuracy(small.model))
    assert accuracy(small.model) > accuracy(trained()) - 0.015
    assert f"x{small.ratio:.1f}" in str(small)


def test_weights_are_few_and_few_values(small: Compressed) -> None:
    weights = [p.detach().numpy() for p in small.model.parameters() if p.dim() > 1]
    left, whole = sum(np.count_nonzero(w) for w in weights), sum(w.size for w in weights)
    assert left / whole == pytest.approx(0.2, abs=0.001)
    assert all(len(np.unique(w[w != 0])) <= 16 for w in weights)


def test_the_model_given_stays_as_it_is() -> None:
    model = copy.deepcopy(trained()).train()
    before = copy.deepcopy(model.state_dict())
    nissl.compress(model, tuple(digits().train), share=0.5, finetune=1)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_the_same_call_gives_the_same_file() -> None:
    one, two = (nissl.compress(trained(), tuple(digits().train), bits=3, finetune=1, seed=4).file for _ in range(2))
    assert one == two


def test_learning_with_shared_values_gains_what_sharing_cost() -> None:
    data, test = tuple(digits().train), tuple(digits().test)
    without = nissl.compress(trained(), data, share=0.5, bits=1, test=test)
    learned = nissl.compress(trained(), data, share=0.5, bits=1, finetune=lambda m: learn(m, 4), test=test)
    assert learned.stages[-1].accuracy > without.stages[-1].accuracy + 0.05


def test_convolutions_normalisation_and_doubles_go_through_the_file(tmp_path: Path) -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10)
    ).double()  # fmt: skip
    x, y = digits().train
    model(torch.as_tensor(x[:64]).double())  # so that the running means are something
    small = nissl.compress(model, (x[:64], y[:64]), share=0, bits=8)
    back = nissl.decompress(small.save(tmp_path / "a"), model)
    assert torch.equal(back.eval()(X.double()), small.model.eval()(X.double()))
    assert int(back[1].num_batches_tracked) == 1
    np.testing.assert_allclose(back(X.double()).detach(), model.eval()(X.double()).detach(), atol=0.05)


def test_files_that_are_not_what_they_should_be(small: Compressed, tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="no file"):
        nissl.decompress(tmp_path / "none", trained())
    file = small.save(tmp_path / "small")
    with pytest.raises(DamagedData, match=r"another model: 1.weight has the shape \(48, 64\).*\(20, 64\)"):
        nissl.decompress(file, perceptron(hidden=20))
    with pytest.raises(DamagedData, match=r"another model: 1\.weight is <f4; in the model given, float64"):
        nissl.decompress(file, perceptron().double())
    whole = file.read_bytes()
    for damaged, said in [
        (whole[:-100], "cut off or changed"),
        (whole[:7], "does not begin"),
        (b"", "does not begin"),
        (whole[:500] + b"\0" + whole[501:], "cut off or changed"),
        (whole[:8] + struct.pack("<I", 2**31) + whole[12:], "cut off or changed"),
        (b"\x80\x04" + whole, "does not begin"),
    ]:
        file.write_bytes(damaged)
        with pytest.raises(DamagedData, match=said):
            nissl.decompress(file, trained())


def test_what_makes_no_sense_is_said() -> None:
    data = tuple(digits().train)
    for wrong, said in [({"bits": 0}, "1 to 12"), ({"share": 1.0}, "less than 1"), ({"finetune": -1}, "epochs from 0")]:
        with pytest.raises(BadValue, match=said):
            nissl.compress(trained(), data, **wrong)
    with pytest.raises(Unsupported, match="arrays network"):
        nissl.compress(nissl.Arrays({"hidden": 8, "output": 3}), data)
