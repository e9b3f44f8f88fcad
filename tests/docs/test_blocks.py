"""Every Python block of every page runs, or says why not; those of the tutorials run as the site is built (test_site.py)."""

import re
from pathlib import Path

import pytest

from nissl.studies.catalogue import KINDS
from tests.docs import blocks

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").rglob("*.md"))]
TOLD = [ROOT / "docs" / "start.md", *(ROOT / "docs" / "tutorials").glob("*.md")]
ALONE = [page for page in PAGES if page not in TOLD]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", ALONE, ids=map(name, ALONE))
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks.run(page)


@pytest.mark.parametrize("page", PAGES, ids=map(name, PAGES))
def test_a_page_says_which_blocks_do_not_run(page: Path) -> None:
    assert [block.fault for block in blocks.blocks(page.read_text()) if block.fault] == []


@pytest.mark.parametrize("page", PAGES, ids=map(name, PAGES))
def test_a_block_that_a_test_runs_is_run_there(page: Path) -> None:
    for block in blocks.blocks(page.read_text()):
        if block.runner:
            assert f'"{page.relative_to(ROOT / "docs")}", __file__' in (ROOT / block.runner).read_text()


NEEDING = [
    pytest.param(page, need, id=f"{name(page)}-{need}", marks=pytest.mark.framework(need))
    for page in PAGES
    for need in dict.fromkeys(block.needs for block in blocks.blocks(page.read_text()) if block.needs)
]


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # of torch.onnx's own
@pytest.mark.parametrize(("page", "need"), NEEDING)
def test_page_runs_where_its_framework_is(
    page: Path, need: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks.run(page, need)


def test_there_are_pages_that_run() -> None:
    assert sum(block.runs for page in PAGES for block in blocks.blocks(page.read_text())) > 5


FENCED = "# Page\n\n```{info}\n{text}\n```\n"


@pytest.mark.parametrize(
    "info",
    ["python no-run", 'python no-run reason=""', "python skip", 'python run-by="somebody"', "py", "pycon", "Python"],
)
def test_a_block_without_a_reason_is_a_fault(info: str) -> None:
    (block,) = blocks.blocks(FENCED.format(info=info, text="x = 1"))
    assert block.fault
    assert "line 3" in block.fault


@pytest.mark.parametrize(
    "info",
    [
        "python",
        'python no-run reason="needs a GPU of your own"',
        'python needs="jax"',
        f'python run-by="tests/docs/{Path(__file__).name}"',
        "sh",
        "sh run",
        "",
        "text",
    ],
)
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


def spoken(page: Path) -> str:
    """A page without its fenced blocks."""
    return blocks.FENCE.sub("", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=map(name, PAGES))
def test_a_name_in_the_text_exists(page: Path) -> None:
    for said in re.findall(r"`nissl(?!\.(?:pdf|html)\b)((?:\.\w+)+)", spoken(page)):
        assert blocks.exists(f"nissl{said}"), said


@pytest.mark.parametrize("page", PAGES, ids=map(name, PAGES))
def test_a_command_in_the_text_exists(page: Path) -> None:
    cli = pytest.importorskip("nissl.apps.cli")
    known = set(cli.app())
    assert set(re.findall(r"`nissl ([a-z]+)", spoken(page))) <= known


def test_every_kind_of_plug_in_has_its_page() -> None:
    index = (ROOT / "docs" / "how-to" / "README.md").read_text()
    for kind in [*KINDS, "callbacks"]:
        (page,) = re.findall(rf"\| \[[^]]+\]\((add-[\w-]+\.md)\).*`src/nissl/{kind}/`", index)
        assert blocks.blocks((ROOT / "docs" / "how-to" / page).read_text())


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
