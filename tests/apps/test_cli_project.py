"""`nissl project`: of a run that recorded samples, of one that did not, and of a model in a file."""

import pytest

from nissl.apps.cli import main

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

SCRIPT = """
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
x = torch.randn(60, 4)
data = x, (x[:, 0] > 0).long()
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, more in (("with", ["--quantities", "activation,predictions,samples"]), ("without", [])):
        words = [
            "train",
            str(folder / name),
            "--epochs",
            "2",
            "--no-progress",
            "--device",
            "cpu",
            "--model.hidden",
            "12,8",
        ]
        assert main([*words, *more]) == 0
    (folder / "script.py").write_text(SCRIPT)
    return folder


def test_a_run_at_all_its_epochs(runs, capsys, tmp_path):
    board = tmp_path / "board"
    words = ["project", str(runs / "with"), "--layer", "hidden_2", "--by", "pca", "-o", str(tmp_path / "a.png")]
    assert main([*words, "--tensorboard", str(board)]) == 0
    said = capsys.readouterr().out
    for part in (
        "359 samples of hidden_2",
        "epoch 0",
        "epoch 2",
        "trustworthiness",
        "15 nearest kept",
        "jump",
        "a.png",
        "--logdir",
    ):
        assert part in said
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert {"metadata.tsv", "sprite.png", "features_2.tsv", "projector_config.pbtxt"} <= {
        f.name for f in board.iterdir()
    }
    assert main([*words, "--tensorboard", str(board)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_just_some_epochs(runs, capsys, tmp_path):
    words = ["project", str(runs / "with"), "--by", "pca", "--epochs", "2", "-o", str(tmp_path / "a.png")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "epoch 2" in said and "epoch 1" not in said
    assert main([*words[:4], "--epochs", "7"]) == 2
    assert "Epoch 7" in capsys.readouterr().err


def test_a_run_without_samples_is_shown_as_it_is_now(runs, capsys, tmp_path):
    words = ["project", str(runs / "without"), "--by", "pca", "--limit", "100", "-o", str(tmp_path / "a.svg")]
    assert main(words) == 0
    assert "100 samples of hidden_2" in capsys.readouterr().out
    assert main([*words, "--epochs", "1"]) == 2
    assert "--quantities" in capsys.readouterr().err


def test_a_model_in_a_file(runs, capsys, tmp_path):
    script = f"{runs / 'script.py'}"
    words = ["project", f"{script}:net", "--data", f"{script}:data", "--perplexity", "5", "-o", str(tmp_path / "a.png")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "60 samples of 0 by Tsne(perplexity=5" in said
    assert main([*words, "--layer", "nope"]) == 2
    assert "no layer 'nope'" in capsys.readouterr().err
