"""A corpus by its configuration, from a terminal."""

import json

import numpy as np
import pytest

from nissl.apps.cli import main
from nissl.apps.corpus import plot_topomaps
from tests.studies.corpora import arrays, model, profiles, write

MODEL = """
from tests.studies.corpora import model as net
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """As iNNtrospect lays them out: paths from the root, the configuration below it."""
    root = tmp_path_factory.mktemp("project")
    rows = [f"batch{n}.npy,{group},{n % 3}" for n, group in enumerate(["b", "a/z", "c", "a/z", "b", "c"])]
    write(root / "processed_data", rows)
    (root / "net.py").write_text(MODEL)
    (root / "configs").mkdir()
    said = {
        "model_path": f"{root / 'net.py'}:net", "layer_names_of_interest": ["0", "2", "3"], "data_path": "processed_data/",
        "processed_corpus_path": str(root / "output"), "use_aligned_naps": True, "n_batch_per_group": 1,
    }  # fmt: skip
    (root / "configs" / "cnn.json").write_text(json.dumps(said))
    return root


def test_a_project_runs_whole_and_what_is_there_is_not_made_again(project, capsys):
    pytest.importorskip("matplotlib")
    words = ["corpus", str(project / "configs" / "cnn.json"), "--ending", "svg"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "'n_batch_per_group', which means nothing here. Did you mean 'n_batches_per_group'?" in said.err
    assert "up to date" not in said.out
    out = project / "output"
    wanted = profiles_of_groups()
    for name, table in zip(("layer000", "layer001", "layer002", "layer003", "layer004"), wanted, strict=True):
        np.testing.assert_allclose(np.load(out / "naps" / f"{name}.npy"), table, rtol=1e-5, atol=1e-6)
    assert {p.name for p in (out / "plots/topomap/layer001").iterdir()} == {"overview.svg", "a_z.svg", "b.svg", "c.svg"}
    assert len([*(out / "plots/instance_projection").glob("*.svg")]) == 5
    text = (out / "plots/topomap/layer001/overview.svg").read_text()
    assert "a/z" in text or "Topographic" in text
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file() and "interpolated" not in p.name}
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and all("up to date" in line for line in lines)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert not (out / "acts").exists() and sum(p.stat().st_size for p in out.rglob("*.npy")) < 2e6


def profiles_of_groups():
    """By layer, of the groups a/z, b, c, aligned; the network's layers 1 and 4 were not asked for, 4 is the output."""
    every = profiles(model(), aligned=True)
    return [every[0], every[1], every[3], every[4], every[5]]


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is no JSON"), ("[]", "is no configuration"), ('{"data_path": "x"}', "processed_corpus_path"),
     ('{"data_path": "x", "processed_corpus_path": "out"}', "names no model_path"),
     ('{"data_path": "x", "model_name": "VGG16", "processed_corpus_path": "out"}', "VGG16 are downloaded by nobody"),
     ('{"data_path": "x", "model_path": "gone", "processed_corpus_path": "out"}', "nothing is there")],
)  # fmt: skip
def test_a_configuration_that_can_not_be_meant_is_refused_in_words(tmp_path, capsys, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(text)
    assert main(["corpus", "config.json"]) == 2
    assert said in capsys.readouterr().err
    assert main(["corpus", "gone.json"]) == 2 and "gone.json" in capsys.readouterr().err


def test_more_groups_than_colours_are_all_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    rows = [f"batch{n}.npy,group {n}" for n in range(23)]
    write(tmp_path / "data", rows, [arrays()[0] + n for n in range(23)])
    (tmp_path / "net.py").write_text(MODEL)
    said = {"model_path": f"{tmp_path / 'net.py'}:net", "layer_names_of_interest": ["3"], "data_path": str(tmp_path / "data"),
            "processed_corpus_path": str(tmp_path / "out"), "instance_projections": False}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(said))
    assert main(["corpus", str(tmp_path / "config.json"), "--no-pictures"]) == 0
    drawn = plot_topomaps(tmp_path / "out", "all_in_row", ending="svg")
    assert [path.parent.name for path in drawn] == ["layer000", "layer001", "layer002"]
    assert all(path.stat().st_size > 10_000 for path in drawn)
