"""Where options come from, and which of two goes first."""

import inspect
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nissl.apps._cli.options import Recording, Training
from nissl.apps.cli import main
from nissl.core.settings import Settings
from nissl.core.trace import open as opened
from nissl.studies.train import train
from tests.apps.terminal import QUICK


def test_the_command_line_has_the_fields_of_python() -> None:
    assert [f.name for f in fields(Recording)] == [f.name for f in fields(Settings) if f.init]
    assert Recording().settings() == Settings()
    asked, known = set(asdict(Training())), inspect.signature(train).parameters
    assert asked | {"path", "resume", "overwrite", "settings", "options"} == set(known)
    plain = {name: value for name, value in asdict(Training()).items() if not name.endswith("_options")}
    assert plain == {name: known[name].default for name in plain}


def recorded(path: Path) -> dict[str, Any]:
    header = opened(path).header
    return {**header["config"], **header["settings"]}


TOML = """
[train]
epochs = 3
batch_size = 500
learning_rate = 0.5
layers = ["hidden*", "output"]
epoch_intervals = [3]
quantities = ["activation", "predictions"]
drop_batches = false
data = "iris"
model = "mlp"
[train.data-options]
test_share = 0.5
[train.model-options]
hidden = [5, 4]
"""


def test_command_line_before_environment_before_file_before_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(TOML)
    monkeypatch.setenv("NISSL_TRAIN_BATCH_SIZE", "400")
    monkeypatch.setenv("NISSL_TRAIN_LEARNING_RATE", "0.25")
    words = ["train", "a", "--config", "run.toml", "--learning-rate", "0.125", "--no-progress", "--model.hidden", "6,"]
    assert main(words) == 0
    found = recorded(Path("a"))
    assert (found["learning_rate"], found["batch_size"], found["epochs"], found["seed"]) == (0.125, 400, 3, 0)
    assert (found["epoch_intervals"], found["layers"], found["drop_batches"]) == ([3], ["hidden*", "output"], False)
    assert found["data"] == {"name": "Iris", "test_share": 0.5}
    assert found["model"]["hidden"] == [6]
    assert opened("a").epochs == [3]
    assert len(found["quantities"]) == 2


def test_classes_of_your_own_are_named_in_a_file_and_in_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", x=np.random.default_rng(0).normal(size=(60, 4)), y=np.arange(60) % 3)
    table = '[train]\nepochs = 1\ndata = "arrays"\n[train.data-options]\npath = "mine.npz"\nclasses = '
    Path("run.toml").write_text(table + '["Ara, blue", "Bubo bubo", "Corvus"]\n')
    assert main(["train", "a", "--config", "run.toml", "--no-progress"]) == 0
    assert opened("a").classes == ("Ara, blue", "Bubo bubo", "Corvus")
    words = ["train", "b", "--data", "arrays", "--data.path", "mine.npz", "--epochs", "1", "--no-progress"]
    assert main([*words, "--data.classes", "owl, raven,rook"]) == 0
    assert opened("b").classes == ("owl", "raven", "rook")
    capsys.readouterr()
    assert main([*words[:1], "c", *words[2:], "--data.classes", ",".join(["owl"] * 500)]) != 0
    assert len(capsys.readouterr().err) < 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[train]\nepohs = 3\n", "epohs"),
        ("epochs = 3\n", "has no table [train]"),
        ("train = 3\n", "has no table [train]"),
        ("[train\n", "is not a TOML file"),
        ("[train]\nbatch_size = 'x'\n", "unable to convert"),
        ("[train]\nevery = 0\n", "every=0"),
        ("[train]\nepoch_intervals = []\n", "epoch"),
    ],
)
def test_a_wrong_file_is_told(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(text)
    assert main(["train", "--config", "run.toml", *QUICK]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", 5),
        ("5,", [5]),
        ("1,5,10", [1, 5, 10]),
        ("1,5:15:5", [1, 5, 10, 15]),
        ("2:4", [2, 3, 4]),
        ("0,0,3", [0, 3]),
    ],
)
def test_epochs_are_written_as_one_means_them(written: str, meant: Any, tmp_path: Path) -> None:
    words = ["--epochs", "15", "--data", "iris", "--no-progress", "--batch-size", "60"]
    assert main(["train", str(tmp_path / "run"), "--epoch-intervals", written, *words]) == 0
    assert recorded(tmp_path / "run")["epoch_intervals"] == meant
