"""`nissl graph`: of a run, of a model in a file; what is printed, written, opened and refused."""

import json
import sys
from importlib import machinery
from types import ModuleType

import pytest

import nissl
from nissl.apps.cli import main

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

SCRIPT = """
import torch
from torch import nn

net = nn.Sequential(nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()), nn.Flatten(), nn.Linear(256, 10))
words = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(20, 3))
pair = nn.Bilinear(3, 4, 5)
data = torch.zeros(6, 1, 8, 8), torch.zeros(6, dtype=torch.long)
halves = data, data
two = (torch.zeros(6, 3), torch.zeros(6, 4)), torch.zeros(6, dtype=torch.long)
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.py").write_text(SCRIPT)
    return tmp_path


def test_a_run_is_drawn_with_its_own_data(run, script, capsys):
    assert main(["graph", str(run)]) == 0
    said = capsys.readouterr().out
    for part in ("modules of", "Linear", "parameters", "written: graph.svg"):
        assert part in said
    assert "<svg" in (script / "graph.svg").read_text()[:500]


def test_the_layers_of_a_trace_are_drawn_without_their_model(script, capsys):
    from tests.studies.joining_models import Residual

    with nissl.record(Residual(), "bare", progress=False) as recorder:
        for _ in recorder.epochs(1):
            for x, y in recorder.batches([(torch.randn(6, 1, 8, 8), torch.arange(6) % 3)]):
                torch.nn.functional.cross_entropy(recorder.network.model(x), y).backward()
    assert main(["graph", "bare", "--kind", "layers", "-o", "a.json,a.svg"]) == 0
    assert "layers of Residual" in capsys.readouterr().out
    told = json.loads((script / "a.json").read_text())
    assert [node["type"] for node in told["nodes"] if node["role"] == "junction"] == ["add"] * 3
    assert nissl.Graph.load("a.json").kind == "layers"
    assert "a sum" in (script / "a.svg").read_text()
    assert main(["graph", "bare", "--kind", "layers", "-o", "a.onnx"]) == 2
    assert main(["graph", "bare", "--kind", "layers", "--input-shape", "1,8,8"]) == 2
    assert "need neither" in capsys.readouterr().err


def test_a_model_with_an_example_of_a_shape_into_several_files(script, capsys):
    assert (
        main(["graph", "models.py:net", "--input-shape", "1,8,8", "-o", "a.png,new/a.json,a.pdf", "--depth", "1"]) == 0
    )
    assert "0" in capsys.readouterr().out
    told = json.loads((script / "new" / "a.json").read_text())
    assert [(node["path"], node["shape"], node["params"]) for node in told["nodes"]] == [
        ("input", [1, 1, 8, 8], 0), ("0", [1, 4, 8, 8], 40), ("1", [1, 256], 0), ("2", [1, 10], 2570), ("output", [1, 10], 0),
    ]  # fmt: skip
    assert (script / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert (script / "a.pdf").read_bytes()[:4] == b"%PDF"


def test_examples_of_a_file_of_words_and_of_several_inputs(script, capsys):
    assert main(["graph", "models.py:net", "--data", "models.py:data", "--kind", "autograd", "-o", "a.json"]) == 0
    assert {node["type"] for node in json.loads((script / "a.json").read_text())["nodes"]} >= {"parameter", "Relu"}
    assert main(["graph", "models.py:words", "--input-shape", "5", "-o", "b.json"]) == 0
    assert json.loads((script / "b.json").read_text())["nodes"][1]["shape"] == [1, 5, 4]
    assert main(["graph", "models.py:pair", "--data", "models.py:two", "-o", "c.json"]) == 0
    paths = [node["path"] for node in json.loads((script / "c.json").read_text())["nodes"]]
    assert paths[:2] == ["input.0", "input.1"]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["models.py:net"], "--input-shape 3,224,224"),
        (["models.py:net", "--input-shape", "1,8,9"], "not take an example of the shape (1, 8, 9)"),
        (["models.py:net", "--input-shape", "1,8,x"], "3,224,224"),
        (["models.py:net", "--input-shape", "0,8,8"], "each from 1"),
        (["models.py:net", "--input-shape", "1,8,8", "--data", "models.py:data"], "not by both"),
        (["models.py:net", "--input-shape", "1,8,8", "--depth", "0"], "from 1"),
        (["models.py:net", "--input-shape", "1,8,8", "-o", "a.dot"], "a.dot: a graph is written as"),
        (["models.py:nothing", "--input-shape", "1,8,8"], "no 'nothing'"),
        (["gone.onnx"], "no model at gone.onnx"),
        (["gone"], "gone"),
    ],
)
def test_what_cannot_be_meant_is_refused(script, capsys, words, said):
    assert main(["graph", *words]) == 2
    assert said in capsys.readouterr().err


def test_netron_is_asked_for_before_anything_is_run(script, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "netron", None)
    assert main(["graph", "models.py:net", "--input-shape", "1,8,8", "--netron"]) == 2
    assert "pip install netron" in capsys.readouterr().err


def test_netron_opens_the_file_that_was_written(script, capsys, monkeypatch):
    from nissl.studies.graph import Drawn

    asked, stand_in = [], ModuleType("netron")
    stand_in.start, stand_in.wait = asked.append, lambda: asked.append("waited")
    stand_in.__spec__ = machinery.ModuleSpec("netron", None)
    monkeypatch.setitem(sys.modules, "netron", stand_in)
    monkeypatch.setattr(Drawn, "export", lambda self, file: file.write_text("onnx"))
    assert main(["graph", "models.py:net", "--input-shape", "1,8,8", "--netron", "-o", "net.onnx"]) == 0
    assert main(["graph", "models.py:net", "--input-shape", "1,8,8", "--netron"]) == 0
    assert asked == ["net.onnx", "waited", "Sequential.onnx", "waited"]
    capsys.readouterr()


@pytest.mark.skipif("onnxscript" in sys.modules, reason="it is there")
def test_an_export_without_its_packages_says_which(script, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["graph", "models.py:net", "--input-shape", "1,8,8", "-o", "net.onnx"]) == 2
    assert "pip install onnx onnxscript" in capsys.readouterr().err
    assert not (script / "net.onnx").exists()


def test_examples_to_learn_from_and_to_judge_by_will_do(script, capsys):
    assert main(["graph", "models.py:net", "--data", "models.py:halves", "-o", "a.json"]) == 0
    assert main(["graph", "models.py:pair", "--data", "models.py:data"]) == 2
    assert "does not take the example of its data" in capsys.readouterr().err
