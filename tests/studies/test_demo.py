"""The demo: what it tells is what was recorded."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue
from nissl.studies.demo import Demo, demo, separation
from nissl.views.divergence import Divergence

ENDING = ("Try next:", "nissl info", "nissl show", "nissl.open(")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("results"), epochs=12, progress=False)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("results"), binary=True, epochs=20, progress=False)


def test_both_demos_from_a_terminal_within_a_minute(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for words, names in (
        ([], {"pathways_0", "pathways_20", "histories", "curves", "confusions", "two classes"}),
        (["--binary"], {"pathways_0", "pathways_20", "histories", "curves", "confusions", "divergence"}),
    ):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "nissl", "demo", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert time.perf_counter() - began < 60
        data = "binary" if words else "digits"
        pictures = {file.stem.removeprefix(f"{data}_") for file in (tmp_path / "results").glob(f"{data}_*.png")}
        assert {"two classes" if "_of_" in name else name for name in pictures} == names
        assert opened(tmp_path / "results" / data).epochs == list(range(21))
        assert all(word in done.stdout for word in ENDING)
        address = re.search(rf"nissl show results/{data} (\S+)", done.stdout)
        assert address
        assert opened(tmp_path / "results" / data)[address[1]]["probe_mean"] > 0


def test_without_matplotlib_the_table_is_there_and_says_how_to_get_pictures(tmp_path: Path) -> None:
    code = "import sys; sys.modules['matplotlib'] = None; from nissl.apps.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--epochs", "1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "held-out accuracy" in done.stdout
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
    assert sum(name.startswith("tells ") for name in said) == 10
    assert float(said["cost of recording"].split()[0]) > 0


def test_separation_is_d_prime(digits: Demo) -> None:
    trace: Trace = digits.trace
    neuron = trace[digits.best]
    mean, std = neuron["probe_class_mean"].astype(float), neuron["probe_class_std"].astype(float)
    every = []
    for k in range(10):
        others = [j for j in range(10) if j != k]
        pooled = np.sqrt((std[k] ** 2 + np.mean(std[others] ** 2)) / 2)
        every.append((mean[k] - mean[others].mean()) / pooled)
    assert told(digits)[f"tells {int(np.argmax(every))} best"] == f"{digits.best}  (d' {max(every):.1f})"
    layer, unit = digits.best.split("/")[1:]
    found = separation(trace, layer, int(np.argmax(every)))
    assert found[int(unit[1:])] == pytest.approx(max(every))
    assert found.max() == found[int(unit[1:])]


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
