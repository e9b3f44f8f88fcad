"""docs/figures.md, from the files of results and targets.toml."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._figures.rows import Row, about, judged, rows

HERE = Path(__file__).parents[1]
PAGE = HERE.parent / "docs" / "figures.md"
INTRODUCTION = """# Figures

What nissl costs and how well it does it, beside what was to be reached and beside other tools, as `make bench` last measured it.
Each section is one script of `benchmarks/` and one file of results, in which everything stands that was measured. What falls short is
marked **short** and listed first. Compare ratios, and figures of one section: machines differ, and so did what else they had to do.
"""


def page(results: Path = HERE / "results", targets: Path = HERE / "targets.toml") -> str:
    """The whole page."""
    sections: dict[str, dict[str, Any]] = tomllib.loads(targets.read_text())
    unknown = {file.stem for file in results.glob("*.json")} - set(sections)
    if unknown:
        raise ValueError(
            f"No section in {targets.name} for the results of {', '.join(sorted(unknown))}: add [NAME], title and text."
        )
    found, short, reached = [], [], 0
    for name, section in sections.items():
        file = results / f"{name}.json"
        measured = json.loads(file.read_text()) if file.exists() else None
        own = judged(rows(measured), section.get("targets", {})) if measured else []
        short += [(section["title"], row) for row in own if not row.reached]
        reached += sum(row.reached for row in own)
        found.append("\n".join(_section(name, section, measured, own)))
    return "\n".join([INTRODUCTION, *_short(short, reached), *found])


def _short(short: list[tuple[str, Row]], reached: int) -> Iterator[str]:
    yield "## What falls short\n"
    yield f"{reached} of {reached + len(short)} targets are reached, {len(short)} are not:\n"
    yield "| | measured | figure | target |\n|---|---|---|---|"
    for title, row in short:
        yield f"| {title} | {_cell(row.where)} | {_cell(row.text)} | {_cell(row.target)} |"
    yield ""


def _section(name: str, section: dict[str, Any], measured: dict[str, Any] | None, own: list[Row]) -> Iterator[str]:
    yield f"## {section['title']}\n\n{section['text']}\n"
    if measured is None:
        yield "*Not measured yet.*\n"
        return
    yield f"`benchmarks/{name}.py`, [all of it](../benchmarks/results/{name}.json). {about(measured)}\n".replace(
        ". \n", ".\n"
    )
    if own:
        yield "| measured | figure | target | |\n|---|---|---|---|"
        for row in own:
            yield f"| {_cell(row.where)} | {_cell(row.text)} | {_cell(row.target)} | {'' if row.reached else '**short**'} |"
        yield ""
    beside = [row for row in rows(measured) if not row.target and row.where not in {one.where for one in own}]
    if beside:
        yield f"<details markdown><summary>{len(beside)} figures beside, without a target</summary>\n"
        yield "| measured | figure |\n|---|---|"
        for row in beside:
            yield f"| {_cell(row.where)} | {_cell(row.text)} |"
        yield "\n</details>\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
