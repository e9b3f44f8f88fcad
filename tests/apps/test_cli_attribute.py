"""`nissl attribute`: of a run, and of a model in a file; a picture, or numbers."""

import numpy as np
import pytest

import nissl
from nissl.apps.cli import main

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

SCRIPT = """
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(108, 2))
x = torch.randn(12, 1, 8, 8)
data = x, (x[:, 0, 0, 0] > 0).long()
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subject_of_attribution.py").write_text(SCRIPT)
    return ["attribute", "subject_of_attribution.py:net", "--data", "subject_of_attribution.py:data"]


def test_a_picture_of_methods_a_line_for_each(script, tmp_path, capsys):
    assert main([*script, "--by", "guided_backprop,integrated_gradients", "--examples", "4", "-o", "a.png"]) == 0
    said = capsys.readouterr().out
    for part in ("4 examples, true class", "GuidedBackprop", "4 x 1 x 8 x 8", "1 relu", "written: a.png"):
        assert part in said
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_numbers_are_those_of_python(script, tmp_path):
    assert main([*script, "--target", "1", "--steps", "8", "--baseline", "-1", "-o", "a.npy"]) == 0
    names = {}
    exec(SCRIPT, names)
    wanted = nissl.attribute(names["net"], names["x"][:10], 1, steps=8, baseline=-1)
    np.testing.assert_allclose(np.load(tmp_path / "a.npy"), wanted, rtol=1e-6)
    assert main([*script, "--by", "gradient,grad_cam", "-o", "b.npz"]) == 0
    assert sorted(np.load(tmp_path / "b.npz")) == ["grad_cam", "gradient"]
    assert main([*script, "-o", "a.npy"]) == 2


def test_the_five_panels_and_a_gallery_of_units(script, tmp_path, capsys):
    assert main([*script, "--panels", "--target", "predicted", "-o", "a.npz"]) == 0
    panels = np.load(tmp_path / "a.npz")
    assert sorted(panels) == ["baseline", "delta", "overlay", "saliency"]
    np.testing.assert_allclose(panels["delta"], panels["saliency"] - panels["baseline"], atol=1e-6)
    assert main([*script, "--at", "0", "--unit", "every", "--by", "gradient", "--examples", "2", "-o", "g.png"]) == 0
    said = capsys.readouterr().out
    assert "unit 2" in said and "every channel of 0" in said


def test_what_cannot_be_meant_is_refused_before_anything_is_computed(script, capsys):
    for words, part in (
        (["-o", "a.txt"], ".png"), (["--target", "blue"], "predicted"), (["--by", "magic"], "gradient"),
        (["--unit", "1"], "at"), (["--examples", "0"], "from 1"),
    ):  # fmt: skip
        assert main([*script, *words]) == 2
        assert part in capsys.readouterr().err
