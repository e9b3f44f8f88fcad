"""Every number of README's costs is that of a file of results; a number that nobody vouches for is a fault."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COSTS = README.partition("## What it costs\n")[2].partition("\n## ")[0]
MODELS = ("mlp", "cnn", "transformer")
ROWS = {
    "the bare step again": "bare again",
    "**nissl**": "nissl",
    "nissl, everything that it records by default": "nissl, default quantities",
    "nissl, every 4th step": "nissl, every 4th step",
    "nissl without its compiled kernel": "nissl, eager",
    "nnsight, keeping all outputs": "nnsight saves all",
    "hooks that keep all outputs": "naive hooks keep all",
    "wandb.watch": "wandb.watch all",
    "TensorBoard histograms": "TensorBoard histograms",
    "cockpit, economy": "cockpit economy",
}
SETTING = {"2", "128", "64", "8", "32", "10", "9", "95", "200", "1.6"}
"""What was measured on, not what was found: machines, batches, options, sizes."""


def results(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def figure(name: str, what: str) -> float:
    (found,) = (one["figure"] for one in results(name)["figures"] if one["what"] == what)
    return found


def said(value: float, as_in: str) -> str:
    """The value with as many decimals as the text has."""
    return f"{value:.{len(as_in.partition('.')[2])}f}"


SENTENCES = [
    (r"committed in ([\d.]+) ms", lambda: figure("storage", "append 1.6 MB, synced, p50")),
    (r"\(95 %: ([\d.]+) ms\)", lambda: figure("storage", "append 1.6 MB, synced, p95")),
    (r"a sealed run takes ([\d.]+) of its raw float32", lambda: figure("storage", "size of 200 epochs, lossless / raw float32")),
    (r"with `rounding=10` ([\d.]+);", lambda: figure("storage", "size of 200 epochs, 10 bits / raw float32")),
    (r"one neuron over 200 epochs reads in ([\d.]+) ms", lambda: figure("storage", "one neuron over 200 epochs")),
    (r"\[(\d+) writers killed", lambda: results("kills")["kills"]),
    (r"(\d+) of them while sealing", lambda: results("kills")["inside a seal"]),
    (r"`import nissl` takes ([\d.]+) ms", lambda: figure("start_up", "import nissl, over a bare python")),
    (r"`nissl --help` ([\d.]+) s", lambda: figure("start_up", "nissl --help, python included") / 1000),
]  # fmt: skip


def table() -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in COSTS.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in lines if cells[0] in ROWS}


def test_the_table_is_that_of_the_results() -> None:
    models = results("overhead")["models"]
    assert set(table()) == set(ROWS)
    for name, cells in table().items():
        for model, cell in zip(MODELS, cells, strict=True):
            found = models[model]["rows"].get(ROWS[name])
            numbers = re.findall(r"[\d.]+", cell)
            if found is None:
                assert (cell, ROWS[name] in models[model]["not_run"]) == ("(fails)", True)
            elif "with a class for each token" in cell:
                without = models[model]["rows"]["nissl, no classes"]["ratio"]
                assert numbers == [said(without, numbers[0]), said(found["ratio"], numbers[1])]
            else:
                assert numbers == [said(found["ratio"], numbers[0])], f"{name}, {model}"


@pytest.mark.parametrize(("pattern", "value"), SENTENCES, ids=[pattern for pattern, _ in SENTENCES])
def test_a_sentence_is_that_of_the_results(pattern: str, value: Any) -> None:
    (shown,) = re.findall(pattern, COSTS)
    assert shown == said(value(), shown)


def test_nothing_was_lost_as_is_said() -> None:
    assert "none lost an epoch, left a\ntorn one, or could not be resumed" in COSTS
    assert [results("kills")[name] for name in ("lost", "torn", "unopenable", "unresumable")] == [0, 0, 0, 0]


def test_no_number_stands_for_itself() -> None:
    rest = re.sub(r"\]\([^)]*\)", "]", COSTS)
    for pattern, _ in SENTENCES:
        rest = re.sub(pattern, "", rest)
    rest = "\n".join(line for line in rest.splitlines() if line.strip("| ").split(" | ")[0] not in ROWS)
    assert set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)", rest)) <= SETTING


def test_every_page_and_file_that_it_points_at_is_there() -> None:
    for place in re.findall(r"\]\((?!https?:|#)([^)#]+)", README):
        assert (ROOT / place).exists(), place
