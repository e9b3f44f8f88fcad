"""Every way of writing a training script that is promised to be recorded: the same output, and the right epochs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import nissl
from tests.scripts.running import Ran, alone, bare, python, recorded

HIDDEN, OUT = "0", "3"
CASES = {
    "plain": (["plain.py", "--lr", "1"], [], "plain", {"epochs": [1, 2, 3], "steps": 4, "layers": {"hidden", "out"}}),
    "a look, a step after the loop": (["leftover.py"], [], "leftover", {"epochs": [1, 2, 3], "steps": 4}),
    "accumulation": (["accumulation.py"], [], "accumulation", {}),
    "amp, spawned workers": (["amp.py"], [], "amp", {}),
    "gan": (["gan.py"], [], "gan", {"layers": {"G.0", "G.2", "D.0", "D.3"}, "seen": None}),
    "torch.compile": (["compiled.py", "aot_eager"], [], "compiled", {"layers": {"0", "2"}}),
    "module.compile": (["compiled.py", "in-place"], [], "compiled", {"layers": {"0", "2"}}),
    "no loader": (["no_loader.py"], [], "no_loader", {"epochs": [1], "steps": 12, "seen": 192, "labels": False}),
    "no loader, told": (
        ["no_loader.py"],
        ["--epoch-steps", "4", "--labels", "target"],
        "no_loader",
        {"epochs": [1, 2, 3]},
    ),
    "itertools.cycle": (["cycled.py"], [], "cycled", {"epochs": [1, 2, 3]}),
    "some epochs, one layer": (
        ["plain.py"],
        ["--epochs", "1,3", "--layers", "hidden", "--quantities", "activation", "--labels", "none", "--out", "runs/a/b"],
        "a/b",
        {"epochs": [1, 3], "layers": {"hidden"}, "labels": False},
    ),
    "one model of two": (["gan.py"], ["--model", "D"], "gan", {"layers": {"0", "3"}, "seen": None}),
    "a model called in parts": (["parts.py"], ["--labels", "batch[1] * 1"], "parts", {"layers": {"encoder.0", "decoder"}}),
    "folds": (["folds.py"], [], "folds-2", {"steps": 3, "seen": 48}),
}  # fmt: skip


@pytest.mark.parametrize(("words", "options", "name", "wanted"), CASES.values(), ids=CASES)
def test_a_script_runs_as_ever_and_is_recorded(
    words: list[str], options: list[str], name: str, wanted: dict, ran: Callable[..., tuple[Ran, Path]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    watched, place = ran(" ".join(words), *options)
    assert watched.returncode == 0, watched.stderr
    if name == "amp":  # what its workers import must be a script
        assert watched.stdout == bare(python(*words), tmp_path).stdout
    else:
        assert watched.stdout == alone(python(*words), monkeypatch, capsys)
    trace = nissl.open(place / "runs" / name)
    epochs = [epoch for epoch in trace.epochs if epoch]  # where there is a probe, it was shown before training too
    assert epochs == wanted.get("epochs", [1, 2])
    assert {layer for layer in trace.layers if "mean" in trace.names(layer)} == wanted.get("layers", {HIDDEN, OUT})
    if "steps" in wanted:
        assert set(trace.scalars["steps"].values[-len(epochs) :]) == {wanted["steps"]}
    seen = wanted.get("seen", 64)
    if seen is not None:
        for layer in wanted.get("layers", {HIDDEN, OUT}):
            assert set(trace.layer(layer).array("count").values[-len(epochs) :].flat) == {seen}
    assert bool(trace.header.get("classes")) == wanted.get("labels", True)


def test_what_was_detected_is_said_with_what_changes_it(ran: Callable[..., tuple[Ran, Path]]) -> None:
    said = ran("plain.py --lr 1")[0].stderr
    for words in (
        "recording into runs/plain", "net (Net)  [--model]", "Adam (optimizer)", "passes over the DataLoader (train), 4 batches each",
        "batch[1]: int64 (16,)  [--labels]", "the first 16 examples", "trained 3 epochs of 4 steps; epochs 0, 1, 2, 3 are in",
    ):  # fmt: skip
        assert words in said, said
    assert "NOT KNOWN" in ran("no_loader.py")[0].stderr


def test_what_was_asked_for_and_is_not_there_is_said(tmp_path: Path) -> None:
    watched = recorded(python("plain.py"), tmp_path, "--labels", "y2", "--epochs", "99")
    assert "y2: NOT FOUND (NameError: name 'y2' is not defined), so nothing is recorded by class" in watched.stderr
    assert "none of the epochs that were trained is to be recorded: change --epochs" in watched.stderr
    assert watched.returncode == 3


def test_an_epoch_ends_after_the_step_for_what_was_accumulated_last(ran: Callable[..., tuple[Ran, Path]]) -> None:
    watched, place = ran("leftover.py")
    said = [float(line) for line in watched.stdout.splitlines()[1:4]]
    weights = nissl.open(place / "runs" / "leftover").layer("0").array("weight").values
    assert weights[-3:].reshape(3, -1)[:, 0].tolist() == np.float32(said).tolist()
    assert "trained 3 epochs of 2 steps; epochs 0, 1, 2, 3 are in runs/leftover\n" in watched.stderr
    assert [path.name for path in (place / "runs").iterdir()] == ["leftover"]


def test_numbers_are_those_of_a_loop_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Classes included, also where batches come again without their loader."""
    place = tmp_path / "own.py"
    place.write_text(
        "import start, torch, nissl\n"
        "from torch.nn import functional as F\n"
        "net = start.network(); optimizer = torch.optim.Adam(net.parameters()); kept = []\n"
        "with nissl.record(net, 'runs/own', progress=False) as recorder:\n"
        "    for epoch in recorder.epochs(3):\n"
        "        for x, y in recorder.batches(kept or start.loader()):\n"
        "            kept += [(x, y)] if epoch == 1 else []\n"
        "            optimizer.zero_grad(); F.cross_entropy(net(x), y).backward(); optimizer.step()\n"
    )
    monkeypatch.chdir(tmp_path)
    alone([python("x")[0], str(place)], monkeypatch, capsys)
    assert recorded(python("cycled.py"), tmp_path, "--probe", "0").returncode == 0
    own, heard = nissl.open(tmp_path / "runs" / "own"), nissl.open(tmp_path / "runs" / "cycled")
    for layer in (HIDDEN, OUT):
        assert own.names(layer) == heard.names(layer)
        for name in own.names(layer):
            assert np.array_equal(own.layer(layer).array(name), heard.layer(layer).array(name), equal_nan=True), name


def test_ranks_that_the_script_spawns(tmp_path: Path) -> None:
    watched = recorded(python("spawned.py"), tmp_path)
    assert (watched.returncode, watched.stdout) == (0, "done\n"), watched.stderr
    assert "Exception" not in watched.stderr
    assert set(nissl.open(tmp_path / "runs" / "spawned").layer("0").array("count").values[-2:].flat) == {96}


def test_a_spawned_rank_that_fails_is_closed_as_failed(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text(
        "import multiprocessing, torch\nfrom torch import distributed, nn\n\n"
        "def train(place):\n"
        "    distributed.init_process_group('gloo', init_method=place, rank=0, world_size=1)\n"
        "    net = nn.Linear(2, 2)\n    optimizer = torch.optim.SGD(net.parameters(), 0.1)\n"
        "    for step in range(5):\n        net(torch.ones(4, 2)).sum().backward()\n        optimizer.step()\n"
        "    {}['nothing']\n\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=train, args=('file://' + __file__ + '.meeting',))\n"
        "    child.start()\n    child.join()\n    print(child.exitcode)\n"
    )
    watched = recorded([python("x")[0], str(tmp_path / "fails.py")], tmp_path, "--epoch-steps", "2")
    assert (watched.returncode, watched.stdout) == (0, "1\n"), watched.stderr
    trace = nissl.open(tmp_path / "runs" / "fails")
    assert [epoch for epoch in trace.epochs if epoch] == [1, 2]
    assert trace.header["ended"].startswith("KeyError")


def test_ranks(tmp_path: Path) -> None:
    command = [python("x")[0], "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29611", *python("ranks.py")[1:]]  # fmt: skip
    watched = recorded(command, tmp_path)
    assert watched.returncode == 0, watched.stderr
    trace = nissl.open(tmp_path / "runs" / "ranks")
    assert trace.epochs[-2:] == [1, 2]
    assert set(trace.layer("0").array("count").values[-2:].flat) == {96}


@pytest.mark.parametrize(
    ("library", "layer"),
    [
        pytest.param("lightning", "net.0", marks=pytest.mark.framework("lightning")),
        pytest.param("transformers", "classifier", marks=[pytest.mark.framework("transformers"), pytest.mark.framework("accelerate")]),
        pytest.param("keras", "hidden", marks=pytest.mark.framework("keras")),
    ],
)  # fmt: skip
def test_loops_that_libraries_run(library: str, layer: str, tmp_path: Path) -> None:
    words = python(f"trainer_{library}.py")
    unwatched, watched = bare(words, tmp_path), recorded(words, tmp_path)
    assert watched.returncode == unwatched.returncode == 0, watched.stderr
    assert watched.stdout.splitlines()[-1] == unwatched.stdout.splitlines()[-1]
    trace = nissl.open(tmp_path / "runs" / f"trainer_{library}")
    assert [epoch for epoch in trace.epochs if epoch] == [1, 2]
    assert layer in trace.layers
    assert trace.header["classes"]
