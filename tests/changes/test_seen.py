"""The picture, the terminal and the files say what was found."""

import json

import numpy as np
import pytest

import nissl
from nissl.apps.cli import main
from nissl.core.marks import Bars, Cells, Lines
from nissl.stores.disk import Disk
from nissl.views.changes import UNITS, Changes
from nissl.views.likeness import Likeness
from tests.changes.planted import motion, shifted, stored


@pytest.fixture
def path():
    rng = np.random.default_rng(0)
    return shifted(motion("noise", rng, 20, 24), range(10), 12, 25, rng)


def test_the_picture_marks_the_epoch_and_its_share(path):
    trace = stored({"first": path, "second": motion("walk", np.random.default_rng(1), 20, 8)})
    found = nissl.changes(trace, progress=False)
    picture = Changes(trace, found).describe()
    dots = [m for m in picture.marks if isinstance(m, Lines) and m.colour == UNITS and len(m.points) == 1]
    step = 1130 / 20
    assert any(abs(dot.points[0, 0] - (230 + 12.5 * step)) < 1 for dot in dots)
    heat = next(m for m in picture.marks if isinstance(m, Cells))
    assert heat.shares.shape == (2, 20) and heat.shares[0].argmax() == 12
    assert picture.to_dict() == Changes(trace).describe().to_dict()
    early = nissl.changes(trace["E_0":"E_3"], progress=False)
    assert "fewer than 6" in Changes(trace["E_0":"E_3"], early).describe().caption


def test_the_events_are_bars(path):
    magnitude = np.ones((20, 24))
    magnitude[8:, :5] = 0
    trace = stored({"a": path}, more={("a", "probe_magnitude"): (("neuron",), magnitude)})
    bars = [m for m in Changes(trace).describe().marks if isinstance(m, Bars)]
    assert any(len(m.boxes) == 1 and m.boxes[0, 3] == 44 for m in bars)


def test_likeness_is_a_field_for_each_layer_and_one_of_layers(path):
    trace = stored({"a": path, "b": 2 * path + 1})
    found = nissl.changes(trace, progress=False)
    fields = [m for m in Likeness(trace, found).describe().marks if isinstance(m, Cells)]
    np.testing.assert_allclose(fields[0].shares, np.clip(found.alike.within["a"], 0, 1))
    assert fields[2].shares.shape == (2, 2) and fields[2].shares.min() == pytest.approx(1)


def test_the_terminal_says_it_and_writes_it(path, tmp_path, capsys):
    stored({"a": path}, store=Disk(tmp_path / "run"))
    out = tmp_path / "seen"
    assert main(["changes", str(tmp_path / "run"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "10 of 24 neurons of a jumped out of their usual motion: 10 at E_12" in " ".join(said.split())
    assert "20 of 24 units shown" in said and "E_12" in said
    told = json.loads((out / "changes.json").read_text())
    assert sum(point["of"] == "unit" for point in told["points"]) == 10
    assert {file.name for file in out.iterdir()} >= {"changes.json"}


def test_the_terminal_compares_two(path, tmp_path, capsys):
    for name, values in (("one", path), ("two", path[:, ::-1])):
        stored({"a": values}, store=Disk(tmp_path / name))
    assert main(["changes", str(tmp_path / "one"), str(tmp_path / "two"), "--out", str(tmp_path / "seen")]) == 0
    assert "have a partner beyond chance" in " ".join(capsys.readouterr().out.split())
    assert "layers" in json.loads((tmp_path / "seen" / "changes.json").read_text())
    assert main(["changes", str(tmp_path / "none")]) == 2
    assert main(["changes", str(tmp_path / "one"), "--level", "7"]) == 2
    assert "level=7" in capsys.readouterr().err


def test_a_layer_that_says_nothing_is_named_and_not_counted(path):
    trace = stored({"a": path, "b": 2 * path + 1, "still": np.ones_like(path[:, :3])})
    found = nissl.changes(trace, progress=False)
    picture = Likeness(trace, found).describe()
    assert "2 of 3 layers shown" in picture.caption and "be compared of still" in picture.caption
    assert "Nothing moves in still." in Changes(trace, found).describe().caption
