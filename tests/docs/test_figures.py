"""The page of figures is that of the results that lie here, held to the targets that they were measured for."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from benchmarks._figures.page import page
from benchmarks._figures.rows import at, judged, rows

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
SECTIONS: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "benchmarks" / "targets.toml").read_text())
MEASURED = {name: json.loads(file.read_text()) for name in SECTIONS if (file := RESULTS / f"{name}.json").exists()}
TARGETS = [(name, where, target) for name in MEASURED for where, target in SECTIONS[name].get("targets", {}).items()]


def test_the_page_is_that_of_the_results() -> None:
    assert page() == (ROOT / "docs" / "figures.md").read_text(), "python -m benchmarks --page writes it anew"


def numbers(text: str) -> set[float]:
    return {float(found) for found in re.findall(r"\d*\.?\d+(?:e-?\d+)?", text)}


def reaches(found: Any) -> str:
    """What the results themselves say is to be reached, with the names that it stands under."""
    if not isinstance(found, dict):
        return ""
    own = json.dumps(found["reach"]) if "reach" in found else ""
    return own + "".join(reaches(inner) for inner in found.values())


@pytest.mark.parametrize(("name", "where", "target"), TARGETS)
def test_a_target_has_a_figure_and_is_what_its_benchmark_asks_for(name: str, where: str, target: str) -> None:
    assert at(where, rows(MEASURED[name]))
    row = where.split(" · ", maxsplit=1)[0]
    asked = numbers(reaches(MEASURED[name].get(row, {})) or reaches(MEASURED[name]))
    bound = abs(float(target.split(" ")[1]))
    none_or_all = bound in (0, 1)  # which benchmarks say in words
    assert none_or_all or bound in asked | {value / 100 for value in asked}


def written(place: Path, figures: dict[str, Any], targets: str) -> str:
    (place / "results").mkdir(exist_ok=True)
    (place / "results" / "speed.json").write_text(json.dumps(figures))
    (place / "targets.toml").write_text(f'[speed]\ntitle = "Speed"\ntext = "How quick."\n[speed.targets]\n{targets}')
    return page(place / "results", place / "targets.toml")


@pytest.mark.parametrize(
    ("figure", "target", "reached"),
    [
        (1.0, "<= 1", True), (1.01, "<= 1", False), (1.0, "< 1", False), (0.9, "< 1", True),
        (1.0, ">= 1", True), (0.99, ">= 1", False), (float("nan"), "<= 1", False), (float("nan"), ">= 1", False),
        (0.5, ">= .95 of peer", True), (0.47, ">= .95 of peer", False),
        (0.49, ">= -.02 beside peer", True), (0.47, ">= -.02 beside peer", False),
        ({"median": 0.5, "seeds": [0.4, 0.5, 3.0]}, "<= 1", True),
        ({"ratio": 1.2, "quartiles": [0.9, 1.3], "rounds": 3}, "<= 1", False),
        ([1e-7, -2.0], "<= 1", True), ([1e-7, 2.0], "<= 1", False), ([0.5, 0.5, 2.0], "<= 1", False), ([10, 9], ">= 10", False),
    ],
)  # fmt: skip
def test_what_falls_short_is_shown_as_short(figure: Any, target: str, reached: bool, tmp_path: Path) -> None:
    told = written(tmp_path, {"ours": figure, "peer": 0.5}, f'ours = "{target}"')
    assert ("**short**" in told.split("## Speed")[1]) == (not reached)
    assert f"{int(reached)} of 1 targets are reached, {int(not reached)} are not" in told


def test_parts_of_lists_seeds_and_texts_are_figures_too() -> None:
    found = rows(
        {"a": [3, 4], "b": {"median": 2, "seeds": [1, 2, 9]}, "c": "neighbours 0.441, 8-NN 0.41; arranging 0.8 s"}
    )
    for where, value in {
        "a · 1st": 3,
        "b": 2,
        "b · least": 1,
        "b · most": 9,
        "c · arranging": 0.8,
        "c · 8-NN": 0.41,
    }.items():
        assert at(where, found)[1] == (value,)
    with pytest.raises(KeyError, match="No figure at 'c · speed'"):
        at("c · speed", found)


def test_a_benchmarks_own_verdict_is_kept() -> None:
    figures = [
        {"what": "slow", "target": "<= 1 ms", "figure": 2.0, "unit": "ms", "reached": False},
        {"what": "... beside", "target": "", "figure": 3, "unit": "", "reached": True},
    ]
    assert [row.where for row in rows({"figures": figures})] == ["slow", "slow · beside"]
    (row,) = judged(rows({"figures": figures}), {})
    assert (row.where, row.text, row.target, row.reached) == ("slow", "2 ms", "<= 1 ms", False)


def test_nothing_is_left_out_and_what_is_not_measured_is_said(tmp_path: Path) -> None:
    told = written(tmp_path, {"deep": {"|w|": {"down": 1.5, "ratio": 0.25}}, "machine": "a quiet one"}, "")
    assert "| deep · \\|w\\| · down | 1.5 |" in told
    assert "| deep · \\|w\\| · ratio | 0.25 |" in told
    assert "machine a quiet one" in told
    (tmp_path / "results" / "speed.json").rename(tmp_path / "results" / "unheard.json")
    with pytest.raises(ValueError, match=r"No section in targets\.toml for the results of unheard"):
        page(tmp_path / "results", tmp_path / "targets.toml")
    (tmp_path / "results" / "unheard.json").unlink()
    assert "*Not measured yet.*" in page(tmp_path / "results", tmp_path / "targets.toml")
