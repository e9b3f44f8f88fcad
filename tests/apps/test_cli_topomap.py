"""`nissl topomap`: a table, a picture, a film; and words for what cannot be."""

import numpy as np
import pytest

from nissl.apps.cli import main
from nissl.core.palette import PAPER, rgb
from nissl.studies.train import train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("topomap") / "iris"
    train(path, data="iris", model="mlp", model_options={"hidden": (12, 8)}, epochs=3, progress=False)
    return path


def test_quality_of_every_layer_and_a_picture(run, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert main(["topomap", str(run), "-o", str(tmp_path / "maps.png")]) == 0
    said = capsys.readouterr().out
    assert "hidden_1" in said and "moran" in said and "written:" in said
    assert (tmp_path / "maps.png").stat().st_size > 10_000


def test_a_film_of_epochs(run, tmp_path):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    for name, more in (("a.gif", []), ("b.gif", ["--moving"])):
        words = ["--layer", "hidden_1", "--epochs", "all", *more, "-o", str(tmp_path / name)]
        assert main(["topomap", str(run), *words]) == 0
        with image.open(tmp_path / name) as film:
            assert film.n_frames == 4
            colours = [np.asarray(film.convert("RGB")) for k in range(4) if not film.seek(k)]
        for dye in ("#00707e", "#b8431a"):  # the ends of the key, at every epoch
            assert all(np.abs(table.reshape(-1, 3) - 255 * rgb(dye)).max(1).min() < 10 for table in colours)
        assert all((table[0, 0] == np.rint(255 * rgb(PAPER))).all() for table in colours)
    assert main(["topomap", str(run), "-o", str(tmp_path / "c.gif")]) == 2


def test_what_is_not_there_is_said(run, capsys):
    for words, said in ((["--layer", "nothing"], "hidden_1"), (["--by", "gird"], "grid"), (["--epochs", "1,77"], "77")):
        assert main(["topomap", str(run), *words]) == 2
        assert said in capsys.readouterr().err
