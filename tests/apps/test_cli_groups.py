"""`nissl profile` of groups of inputs: of a model in a file, and of a run."""

import numpy as np
import pytest

import nissl
from nissl.apps.cli import main
from nissl.core.marks import Cells
from nissl.studies.profile import grouped

torch = pytest.importorskip("torch")

SCRIPT = """
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 3))
y = np.arange(90) % 3
x = np.random.default_rng(0).normal(size=(90, 1, 8, 8)).astype(np.float32) + y[:, None, None, None]
side = np.where(x.mean((1, 2, 3)) > 1, "light", "dark")


def data():
    return x, y
"""


PLAIN = """

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 6, 3), nn.Linear(216, 3)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)).flatten(1))


net = Plain()


def whole():
    import nissl

    return nissl.network(net, functional=True)
"""


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(SCRIPT)
    return str(file)


def test_a_table_a_file_and_pictures(mine, tmp_path, capsys):
    out, folder = tmp_path / "found" / "a.npz", tmp_path / "pictures"
    words = [
        "--data",
        f"{mine}:data",
        "--groups",
        f"label,{mine}:side",
        "--align",
        "prediction",
        "--only",
        "2, light,0, dark",
    ]
    assert main(["profile", f"{mine}:net", *words[:-2], "-o", str(out), "--pictures", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "0, dark" in said and "contrasts are significant" in said and f"written: {out}" in said
    found = nissl.Profiles.load(out)
    assert found.factors == ("label", "side") and found.answers["0"].aligned
    pytest.importorskip("matplotlib")
    assert {file.name for file in folder.iterdir()} == {
        f"{kind}_{layer}.png" for kind in ("profiles", "dendrogram") for layer in ("0", "3")
    }


def test_pictures_compare_as_the_table_does(mine, tmp_path, capsys):
    words = ["--data", f"{mine}:data", "--groups", f"{mine}:side,correct", "--within", "side", "--layers", "3"]
    found = grouped(
        f"{mine}:net", (f"{mine}:side", "correct"), data=f"{mine}:data", within="side", layers=["3"], progress=False
    )
    table = found.profiles.measure("3", "contrast", within="side")["contrast"].values
    shares = next(mark for mark in found.pictures["profiles_3"].describe().marks if isinstance(mark, Cells)).shares
    deepest = np.nanmax(np.abs(table))
    np.testing.assert_allclose(np.sort(shares.ravel()), np.sort(0.5 + np.nan_to_num(table.ravel()) / deepest / 2))
    assert main(["profile", f"{mine}:net", *words]) == 0
    assert "by side x correct" in capsys.readouterr().out
    assert main(["profile", f"{mine}:net", *words[:2], "--groups", f"{mine}:side,{mine}:side"]) == 2
    assert "names side twice" in capsys.readouterr().err


def test_a_layer_that_is_heard_before_its_function_says_so(tmp_path, capsys):
    file = tmp_path / "plain.py"
    file.write_text(SCRIPT.replace("net = nn.Sequential", "before = nn.Sequential") + PLAIN)
    assert main(["profile", f"{file}:net", "--data", f"{file}:data"]) == 0
    assert "first: 6 units" in (said := capsys.readouterr().out)
    assert "recorded before relu" in next(line for line in said.splitlines() if line.startswith("first"))
    assert main(["profile", f"{file}:whole", "--data", f"{file}:data"]) == 0
    assert "recorded before" not in capsys.readouterr().out


def test_layers_are_named_with_commas_or_one_by_one(mine, capsys):
    for words in (["--layers", "0,3"], ["--layers", "0", "--layers", "3"]):
        assert main(["profile", f"{mine}:net", "--data", f"{mine}:data", *words]) == 0
        assert "profiles of 2 layers for 3 groups by label, 90 examples: 0, 3" in capsys.readouterr().out


def test_only_the_groups_of_interest(mine, capsys):
    words = ["profile", f"{mine}:net", "--data", f"{mine}:data", "--no-positions", "--layers", "3"]
    assert main([*words, "--only", "0,2", "--contrast", "all"]) == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines() if line.strip()[:1] in "012" and "n_" in line]
    assert [row[:2] for row in rows] == [["0", "30"], ["2", "30"]]
    x, y = (np.asarray(part) for part in _data(mine))
    expected = nissl.profile(_net(mine), (x, y), progress=False).only(["0", "2"]).characteristic("3", 1, against="all")
    assert rows[0][2:4] == [f"n_{expected[0].unit}", f"{expected[0].effect:+.2f}"]


def _data(mine):
    from nissl.studies.subject import named

    return named(f"{mine}:data")


def _net(mine):
    from nissl.studies.subject import named

    return named(f"{mine}:net")


def test_a_run_is_profiled_on_what_it_was_not_trained_with(tmp_path, capsys):
    from nissl.studies.train import train

    train(str(tmp_path / "run"), epochs=1, progress=False)
    assert main(["profile", str(tmp_path / "run"), "--groups", "confusion", "--layers", "output"]) == 0
    said = capsys.readouterr().out
    assert "by label x prediction, 359 examples" in said and " as " in said and "groups shown" in said


@pytest.mark.parametrize(("words", "said"), [
    (["--groups", "labels"], "Did you mean 'label'"), (["--only", "7"], "no group '7'"), (["-o", "here.txt"], "ends in .npz"),
    (["contrast"], "add --out"), (["--agains", "each"], "add --out"), (["--within", "side"], "divided by"),
    (["--layers", "conv"], "The layers are"), (["--memory", "1kB"], "more than memory allows"),
])  # fmt: skip
def test_what_cannot_be_meant_says_what_to_do(mine, words, said, capsys):
    command, *rest = [f"{mine}:net", *words[:1], *words[1:]] if words[0] == "contrast" else [f"{mine}:net", *words]
    assert main(["profile", command, *rest, "--data", f"{mine}:data"]) == 2
    assert said in capsys.readouterr().err
