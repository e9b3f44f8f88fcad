"""`nissl study` and `nissl train --study`: what is printed and written."""

import pytest

from nissl.apps.cli import main
from tests.apps.terminal import QUICK

pytest.importorskip("torch")
image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A folder of two classes, of which a few of one look like the other."""
    monkeypatch.chdir(tmp_path)
    for name, row in (("above", 0), ("below", 8)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(20):
            found = image.new("L", (16, 16), 3 * number)
            found.paste(220, (0, (row if number else 8 - row), 16, (row if number else 8 - row) + 8))
            found.save(tmp_path / "mine" / name / f"{number}.png")
    return tmp_path


def test_training_is_studied_at_once_and_again(pictures, capsys):
    words = ["train", "runs/mine", "--data", "mine", "--data.gray", "true", "--model", "basic-cnn", *QUICK, "--study"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "results/mine_study/" in said and "misclassified" in said
    made = {
        str(path.relative_to(pictures / "results/mine_study")) for path in pictures.glob("results/mine_study/**/*.png")
    }
    for name in ("confusion_matrix/confusion_matrix_0", "confusion_matrix/confusion_matrix_1", "saliency/saliency_1"):
        assert f"{name}.png" in made
    assert {"curves.png", "portraits.png", "portraits_over_training.png", "projection.png"} <= made
    assert sum(name.startswith("attention/") for name in made) >= 1
    with image.open(pictures / "results/mine_study/portraits.png") as painted:
        assert len(painted.convert("RGB").getcolors(1 << 24)) > 20
    words = ["study", "runs/mine", "--epochs", "0,", "--out", "again", "--tensorboard", "logs"]
    assert main(words) == 0
    assert "tensorboard --logdir logs" in capsys.readouterr().out
    assert list(pictures.glob("logs/events.out.tfevents.*")) and not (pictures / "again/curves.png").exists()


def test_what_is_wrong_is_said(pictures, capsys):
    assert main(["study", "runs/nothing"]) == 2
    assert "there is no trace here" in capsys.readouterr().err
    assert main(["train", "runs/bad", "--keep", "all"]) == 2
    assert "keep" in capsys.readouterr().err
