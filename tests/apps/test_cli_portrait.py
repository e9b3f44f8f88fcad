"""`nissl portrait`: of a run, of its stages, and of a model in a file."""

import numpy as np
import pytest

from nissl.apps.cli import main
from nissl.studies.train import train

torch = pytest.importorskip("torch")

SCRIPT = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(108, 4))
x = torch.randn(40, 1, 8, 8)
data = x, torch.arange(40) % 4
"""
QUICK = ["--steps", "6"]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    file = tmp_path_factory.mktemp("mine") / "mine.py"
    file.write_text(SCRIPT)
    return file


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "digits"
    train(path, epochs=2, progress=False, device="cpu", model_options={"hidden": (12,)}, keep="recorded")
    return path


def test_of_every_class_of_a_run(kept, tmp_path, capsys):
    out = tmp_path / "new" / "all.png", tmp_path / "all.npz"
    assert main(["portrait", str(kept), *QUICK, "-o", ",".join(map(str, out))]) == 0
    said = capsys.readouterr().out
    assert "10 portraits of 0, 1, 2" in said
    assert "realism" in said
    assert out[0].stat().st_size > 5000
    assert np.load(out[1])["pictures"].shape == (10, 1, 8, 8)


def test_over_the_stages_of_a_run(kept, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["portrait", str(kept), *QUICK, "--target", "3,8", "--epochs", "0,1,2"]) == 0
    assert "portraits of 3, 8" in capsys.readouterr().out
    assert (tmp_path / "portraits.png").stat().st_size > 5000


def test_of_units_of_a_model_in_a_file_without_data(script, tmp_path, capsys):
    words = ["portrait", f"{script}:net", "--input-shape", "1,8,8", *QUICK, "-o", str(tmp_path / "units.png")]
    assert main([*words, "--unit", "0/n_2,0/1", "--centre", "--canvas", "pixels", "--turn", "0"]) == 0
    both = capsys.readouterr().out
    assert "2 portraits of 2, 1: on average activation" in both
    assert main([*words, "--unit", "0/2,1", "--centre", "--canvas", "pixels", "--turn", "0"]) == 0
    assert capsys.readouterr().out == both
    assert main([*words, "--unit", "0"]) == 0
    assert "3 portraits of 0, 1, 2" in capsys.readouterr().out


def test_a_vector_a_judge_and_a_search(script, tmp_path, capsys):
    words = ["portrait", f"{script}:net", "--data", f"{script}:data", *QUICK, "-o", str(tmp_path / "a.png")]
    assert main([*words, "--target", "1.0,-1,-1,-1"]) == 0
    assert "portraits of 1, -1, -1, -1: on average closeness" in capsys.readouterr().out
    assert main([*words, "--target", "1", "--count", "2", "--search", "3", "--judge", f"{script}:net"]) == 0
    said = capsys.readouterr().out
    assert "p by the judge" in said
    assert "3 of 3 recipes that were tried" in said
    assert "--canvas" in said


@pytest.mark.parametrize(("words", "said"), [
    (["{script}:net"], "--data"), (["{script}:net", "--input-shape", "1,8,8", "--data", "digits"], "not by both"),
    (["{script}:net", "--input-shape", "1,8,8", "--epochs", "1"], "kept no stages"), (["{kept}", "--input-shape", "1,8,8"], "knows its data"),
    (["{kept}", "--epochs", "9"], "no stage of epoch 9"), (["{kept}", "--target", "seven"], "target='seven'"),
    (["{kept}", "--unit", "hidden_1/0,output/1"], "LAYER/7"), (["{kept}", "--unit", "0,hidden_1/1"], "LAYER/7"), (["{kept}", "--unit", "hidden_1/0", "--target", "1"], "one of the two"),
    (["{kept}", "-o", "a.txt"], ".png"), (["{kept}", "--shfit", "1"], "Did you mean 'shift'"),
])  # fmt: skip
def test_what_cannot_be_meant_is_said_in_words(script, kept, capsys, words, said):
    assert main(["portrait", *(word.format(script=script, kept=kept) for word in words)]) == 2
    assert said in capsys.readouterr().err
