"""`nissl profile`: a measure of a whole trace as a folder of Zarr."""

import pytest

from nissl.apps.cli import main
from nissl.core.trace import open as opened
from tests.profiles.recorded import written

xarray = pytest.importorskip("xarray")
pytest.importorskip("dask")


@pytest.fixture
def run(tmp_path):
    written(tmp_path / "run").close()
    return tmp_path / "run"


def test_what_is_written_is_what_python_finds(run, tmp_path, capsys):
    out = tmp_path / "new" / "contrast.zarr"
    assert main(["profile", str(run), "contrast", "--out", str(out), "--against", "each"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    found = xarray.open_datatree(out, engine="zarr", consolidated=False)
    expected = opened(run).profile("contrast", against="each", chunks=None)
    assert set(found.children) == set(expected.children)
    for name in expected.children:
        xarray.testing.assert_equal(found[name].to_dataset().load(), expected[name].to_dataset())
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize(("words", "said"), [
    (["contrats"], "Did you mean 'contrast'"), (["contrast", "--agains", "each"], "Its options are: against, weights"),
    (["mean", "--layers", "outptu"], "Did you mean 'output'"),
    (["mean", "--scheduler", "nowhere"], "scheduler='nowhere': nothing answers there"),
])  # fmt: skip
def test_what_cannot_be_meant_leaves_nothing(run, tmp_path, capsys, words, said):
    assert main(["profile", str(run), *words, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [run]


def test_nothing_is_overwritten(run, tmp_path, capsys):
    assert main(["profile", str(run), "--out", str(run)]) == 2
    assert "already" in capsys.readouterr().err
