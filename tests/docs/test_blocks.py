"""Every Python block of every page runs, or says why not."""

from pathlib import Path

import pytest

from tests.docs import blocks

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks.blocks(page.read_text())
    assert [block.fault for block in found if block.fault] == []
    monkeypatch.chdir(tmp_path)
    blocks.run(page)


def test_there_are_pages_that_run() -> None:
    assert sum(block.runs for page in PAGES for block in blocks.blocks(page.read_text())) > 5


FENCED = "# Page\n\n```{info}\n{text}\n```\n"


@pytest.mark.parametrize("info", ["python no-run", 'python no-run reason=""', "python skip", "py", "pycon", "Python"])
def test_a_block_without_a_reason_is_a_fault(info: str) -> None:
    (block,) = blocks.blocks(FENCED.format(info=info, text="x = 1"))
    assert block.fault
    assert "line 3" in block.fault


@pytest.mark.parametrize("info", ["python", 'python no-run reason="needs a GPU of your own"', "sh", "", "text"])
def test_a_block_with_a_reason_is_none(info: str) -> None:
    (block,) = blocks.blocks(FENCED.format(info=info, text="x = 1"))
    assert block.fault is None


def test_blocks_share_names_and_run_in_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nx = [1]\n```\n- a list\n\n  ```python\n  if x:\n      x.append(2)\n  ```\n")
    assert blocks.run(page)["x"] == [1, 2]


def test_a_block_that_fails_points_at_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(FENCED.format(info="python", text="x = 1\nx.nothing"))
    with pytest.raises(AttributeError) as caught:
        blocks.run(page)
    assert caught.traceback[-1].lineno == 4  # counted from 0: the page's fifth line


def test_a_block_with_a_reason_does_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(FENCED.format(info='python no-run reason="raises on purpose"', text="1 / 0"))
    assert "x" not in blocks.run(page)


COMMANDS = [(page, words) for page in PAGES for words in blocks.commands(page.read_text())]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[" ".join(words) for _, words in COMMANDS])
def test_a_command_that_a_page_shows_is_understood(page: Path, words: list[str]) -> None:
    cli = pytest.importorskip("nissl.apps.cli")
    cli.app().parse_args(words, exit_on_error=False, print_error=False)


def test_commands_are_found_and_wrong_ones_are_not_understood() -> None:
    cli = pytest.importorskip("nissl.apps.cli")
    page = "```sh\n$ .venv/bin/nissl info runs/a | head  # words\nmake demo\nnissl infoo runs/a\nnissl info --colour\n```\n"
    right, *wrong = blocks.commands(page)
    assert right == ["info", "runs/a"]
    assert len(wrong) == 2
    for words in wrong:
        with pytest.raises(cli.CycloptsError):
            cli.app().parse_args(words, exit_on_error=False, print_error=False)
