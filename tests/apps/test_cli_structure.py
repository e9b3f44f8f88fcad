"""`nissl structure`: of a run, and of a model in a file that the code has never seen."""

import json

import numpy as np
import pytest

from nissl.apps.cli import main
from nissl.core.structure import Structure
from nissl.studies.subject import subject

torch = pytest.importorskip("torch")

SCRIPT = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 20)
        self.last = nn.Linear(20, 3)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


def data():
    y = torch.arange(240) % 3
    x = 0.3 * torch.randn(240, 6) + torch.eye(6)[y] * 2
    return (x[:120], y[:120]), (x[120:], y[120:])


def net():
    model, ((x, y), _) = Net(), data()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model


def sized(hidden):
    return nn.Linear(6, hidden)


ready = net()
numbers = 3
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    file = tmp_path_factory.mktemp("mine") / "mine.py"
    file.write_text(SCRIPT)
    return file


def test_a_run_tells_its_structures_and_what_deleting_them_leaves(run, tmp_path, capsys):
    assert main(["structure", str(run), "--out", str(tmp_path / "found")]) == 0
    said = capsys.readouterr().out
    assert "structures of 10 classes" in said
    assert "held-out examples" in said
    names = {file.name for file in (tmp_path / "found").iterdir()}
    assert {"owners.png", "deletions.png", "structure_3.json"} <= names


@pytest.mark.parametrize("how", ["net", "ready"])
def test_a_model_in_a_file_one_class_proved(script, tmp_path, capsys, how):
    words = ["structure", f"{script}:{how}", "--data", f"{script}:data", "--target", "1", "--verify", "--size", "5"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "Structure of 1: 5 of 20 units" in said
    assert "held-out" in said
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["held_out"] is True
    assert (tmp_path / "out" / "faithfulness.png").stat().st_size > 10_000
    loaded = Structure.load(tmp_path / "out" / "structure_1.json")
    assert len(loaded) == 5
    assert f"n_{loaded.units[0].unit} " in said


def test_a_smaller_network_that_does_as_told(script, tmp_path, capsys, monkeypatch):
    smaller = tmp_path / "new" / "smaller.pt"
    words = ["structure", f"{script}:ready", "--data", f"{script}:data", "--target", "1", "--size", "0.3"]
    assert main([*words, "--delete", "-o", str(smaller)]) == 0
    assert "units removed: 6" in capsys.readouterr().out
    monkeypatch.syspath_prepend(str(script.parent))
    model = torch.load(smaller, weights_only=False)
    assert model.first.weight.shape == (14, 6)
    assert main([*words, "--delete", "-o", str(smaller)]) == 2
    assert "already" in capsys.readouterr().err


def test_why_one_and_not_another(script, capsys):
    assert main(["structure", f"{script}:ready", "--data", f"{script}:data", "--target", "0,2"]) == 0
    assert "0 and not 2" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "said"), [
    (["{script}:ready"], "--data"), (["{script}:redy", "--data", "{script}:data"], "Did you mean 'ready'"),
    (["{script}x:ready", "--data", "digits"], "There is no module"), (["nowhere"], "FILE.py:NAME"),
    (["{script}:ready", "--data", "{script}:data", "--target", "7"], "There is no class 7"),
    (["{script}:ready", "--data", "{script}:data", "--verify"], "name its target"),
    (["{script}:ready", "--data", "{script}:data", "--target", "1", "--delete"], "smaller.pt"),
    (["{script}:ready", "--data", "{script}:data", "--target", "1", "--by", "sectant"], "Did you mean 'secant'"),
    (["{script}:ready", "--data", "{script}:data", "--target", "1", "--size", "faithful"], "faithful>=0.9"),
    (["{script}:ready", "--data", "{script}:data", "--target", "1", "-o", "smaller.pt"], "ask for delete too"),
    (["{script}:ready", "--data", "{script}:data", "--target", "1", "--limit", "0"], "limit=0"),
    (["{script}:sized", "--data", "{script}:data", "--target", "1"], "missing a required argument: 'hidden'"),
    (["{script}:numbers", "--data", "{script}:data", "--target", "1"], "No adapter takes"),
])  # fmt: skip
def test_what_cannot_be_meant_is_said_in_words(script, capsys, words, said):
    assert main(["structure", *(word.format(script=script) for word in words)]) == 2
    assert said in capsys.readouterr().err


def test_a_part_of_a_package_is_named_as_one(tmp_path, capsys, monkeypatch):
    package = tmp_path / "nissl_test_package"
    package.mkdir()
    for name, text in {"__init__": "", "parts": SCRIPT, "whole": "from .parts import data, ready\n"}.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    asked = ["--data", "nissl_test_package.whole:data", "--target", "1"]
    assert main(["structure", "nissl_test_package/whole.py:ready", *asked]) == 2
    assert "PACKAGE.whole:NAME" in capsys.readouterr().err
    assert main(["structure", "nissl_test_package.whole:ready", *asked]) == 0


def test_the_examples_taken_are_of_all_classes(tmp_path):
    file = tmp_path / "ordered.py"
    file.write_text(
        "import numpy as np\nnet = 1\nx = np.arange(300.0)[:, None]\ny = np.arange(300) // 100\ndata = x, y\n"
    )
    x, y = subject(f"{file}:net", f"{file}:data", limit=30).discovery
    assert len(x) == 30 and set(y) == {0, 1, 2}
    assert (x[:, 0] // 100 == y).all()


def test_a_run_of_a_loop_of_ones_own_asks_for_its_model(tmp_path, capsys):
    import nissl

    path = tmp_path / "own"
    model = torch.nn.Linear(3, 2)
    x = np.ones((4, 3), np.float32)
    with nissl.record(model, path, probe=(x, np.array([0, 1, 0, 1])), progress=False) as recorder:
        for _ in recorder.epochs(1):
            for part, _y in recorder.batches([(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]))]):
                model(part).sum().backward()
    assert main(["structure", str(path), "--target", "1"]) == 2
    assert "FILE.py:NAME" in capsys.readouterr().err
