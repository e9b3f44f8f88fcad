"""The demo: what it tells is what was recorded."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nissl.apps import cli
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue
from nissl.studies.demo import Demo, demo, separation
from nissl.views.divergence import Divergence

PICTURES = {
    "pathways_0", "pathways_20", "pathways_20_by_activity", "owners", "emergence", "histories", "curves", "confusions",
}  # fmt: skip


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("results"), epochs=12, progress=False)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("results"), binary=True, epochs=20, progress=False)


def children() -> float:
    """Processor time of what was run until now, which a busy machine doesn't stretch."""
    used = os.times()
    return used.children_user + used.children_system


def test_both_demos_from_a_terminal_within_a_minute(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for words, epochs, names in (
        ([], 20, {*PICTURES, "two classes"}),
        (["--binary", "--epochs", "6"], 6, {*PICTURES, "divergence"}),
    ):
        began = children()
        done = subprocess.run(
            [sys.executable, "-m", "nissl", "demo", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert children() - began < 60
        data = "binary" if words else "digits"
        pictures = {file.stem.removeprefix(f"{data}_") for file in (tmp_path / "results").glob(f"{data}_*.png")}
        wanted = {name.replace("pathways_20", f"pathways_{epochs}") for name in names}
        assert {"two classes" if "_of_" in name else name for name in pictures} == wanted
        assert opened(tmp_path / "results" / data).epochs == list(range(epochs + 1))
        ending = done.stdout.partition("Try next:\n")[2].splitlines()
        look, prove, own = (shlex.split(line, comments=True)[1:] for line in ending)
        assert (look[:2], prove[:2]) == (["view", f"results/{data}"], ["structure", f"results/{data}"])
        assert own == ["record", "--", "python", "train.py"]
        for line in (look, prove, own):
            cli.app().parse_args(line, exit_on_error=False, print_error=False)
        assert prove[3] in opened(tmp_path / "results" / data).classes
    found = subprocess.run(
        [sys.executable, "-m", "nissl", *prove], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert f"Structure of {prove[3]}" in found.stdout


def test_without_matplotlib_the_table_is_there_and_says_how_to_get_pictures(tmp_path: Path) -> None:
    code = "import sys; sys.modules['matplotlib'] = sys.modules['uvicorn'] = None; from nissl.apps.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--epochs", "1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "held-out accuracy" in done.stdout
    assert "nissl report results/digits -o results/digits.html" in done.stdout
    assert "pip install 'nissl[plots]'" in done.stdout
    assert not list((tmp_path / "results").glob("*.png"))


def told(found: Demo) -> dict[str, str]:
    return dict(found.seen)


def test_what_is_told_of_the_digits_is_what_was_recorded(digits: Demo) -> None:
    said, trace = told(digits), digits.trace
    accuracy = trace.scalars["probe_accuracy"].values
    assert accuracy[-1] > 0.9
    assert said["held-out accuracy"] == f"{accuracy[0]:.3f} -> {accuracy[-1]:.3f}"
    for layer in ("hidden_1", "hidden_2"):
        silent = [sum(neuron["probe_max"] <= 0 for neuron in trace[e][layer].values()) for e in (0, 12)]
        assert said[f"silent units, {layer}"] == f"{silent[0]} -> {silent[1]} of {trace.units(layer)}"
    assert sum(name.startswith("activity tells ") for name in said) == 10
    assert float(said["cost of recording"].split()[0]) > 0


def test_separation_is_d_prime(digits: Demo) -> None:
    trace: Trace = digits.trace
    address = re.match(r"\S+", told(digits)["activity tells 0 best"])
    assert address
    neuron = trace[address[0]]
    mean, std = neuron["probe_class_mean"].astype(float), neuron["probe_class_std"].astype(float)
    every = []
    for k in range(10):
        others = [j for j in range(10) if j != k]
        pooled = np.sqrt((std[k] ** 2 + np.mean(std[others] ** 2)) / 2)
        every.append((mean[k] - mean[others].mean()) / pooled)
    assert told(digits)["activity tells 0 best"] == f"{address[0]}  (d' {every[0]:.1f})"
    layer, unit = address[0].split("/")[1:]
    found = separation(trace, layer, 0)
    assert found[int(unit[1:])] == pytest.approx(every[0])
    assert found.max() == found[int(unit[1:])]


def test_whose_units_matter_is_told_from_attribution(digits: Demo) -> None:
    trace, said = digits.trace, told(digits)
    tables = {layer: np.array(trace[12][layer].array("attribution")) for layer in ("hidden_1", "hidden_2", "hidden_3")}
    for number, name in enumerate(trace.classes):
        value, layer, unit = max((t[u, number], layer, u) for layer, t in tables.items() for u in range(len(t)))
        assert said[f"adds most to {name}"] == f"e12/{layer}/n{unit}  ({value:+.2f} log-odds)"
    whole = np.concatenate(list(tables.values()))
    tenth = np.argsort(-whole, axis=0)[:80]
    votes = (np.arange(800)[:, None, None] == tenth).any(1).sum(1)
    assert said["backbone"] == f"{(votes > 5).sum()} of 800 units are of the best tenth for most classes"
    best = trace[digits.best]["attribution"].max()
    assert best == max(table.max() for table in tables.values())
    for layer, table in tables.items():
        assert said[f"add to a class, {layer}"] == f"{int((table > 0).any(1).sum())} of {len(table)}"


def test_pictures_are_stained_by_attribution_and_one_by_activity(digits: Demo, binary: Demo) -> None:
    for found in (digits, binary):
        titles = {name: view.describe().title for name, view in found.pictures.items() if "pathways" in name}
        assert sum("by activity" in title for title in titles.values()) == 1
        for name, title in titles.items():
            assert ("by activity" in title) == ("by_activity" in name) != ("by attribution" in title)


def test_the_two_classes_sets_are_those_of_the_picture(binary: Demo) -> None:
    said = told(binary)
    assert binary.trace.scalars["probe_accuracy"].values[-1] > 0.9
    assert np.isfinite(binary.trace.scalars["probe_loss"].values).all()
    parts = ("negative only", "both", "positive only", "neither")
    counts = np.array(
        [
            [int(found[1]) for part in parts if (found := re.search(rf"(\d+) {part}", said[f"serve a class, {layer}"]))]
            for layer in ("input", "hidden_1", "hidden_2")
        ]
    )
    assert (counts.sum(1) == 10).all()
    first, both, second, neither = counts.sum(0)
    caption = Divergence(binary.trace).describe().caption
    assert {first, both, second, neither} <= {int(n) for n in re.findall(r"\d+", caption)}, caption
    assert set(binary.pictures) >= {"divergence", "pathways_0", "pathways_20"}


def test_the_same_seed_shows_the_same(digits: Demo, tmp_path: Path) -> None:
    again = demo(tmp_path, epochs=12, progress=False)
    changing = ("recorded", "cost of recording")
    assert [row for row in again.seen if row[0] not in changing] == [
        row for row in digits.seen if row[0] not in changing
    ]


def test_an_earlier_demo_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    demo(tmp_path, binary=True, epochs=1, progress=False)
    assert demo(tmp_path, binary=True, epochs=2, progress=False).trace.epochs == [0, 1, 2]
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadValue, match="holds something that is no trace"):
        demo(tmp_path, epochs=1, progress=False)
    assert (tmp_path / "digits" / "thesis.txt").exists()


def test_a_demo_needs_an_epoch(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="epochs=0: at least 1"):
        demo(tmp_path, epochs=0)
