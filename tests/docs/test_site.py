"""`make docs`: the site builds without a warning, its tutorials run, it has every module, and fetches nothing from anywhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import chromium

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [Path(sys.executable).parent / "mkdocs", "build", "--strict", "--site-dir", place],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


def test_every_public_module_has_a_page_with_its_classes(site: Path) -> None:
    for source in (ROOT / "src" / "nissl").rglob("[a-z]*.py"):
        place = source.relative_to(ROOT / "src" / "nissl").with_suffix(".html")
        if not any(part.startswith("_") for part in place.parts):
            page = (site / "reference" / place).read_text()
            for name in re.findall(r"^class ([A-Z]\w*)", source.read_text(), re.MULTILINE):
                assert f'id="nissl.{".".join(place.with_suffix("").parts)}.{name}"' in page


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = re.compile(
        r"""<(?:script|img|iframe|source)[^>]+src=["']?(?:https?:)?//|<link[^>]+href=["']?(?:https?:)?//"""
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    assert [page.name for page in pages if fetched.search(page.read_text())] == []
    assert not any("@import" in sheet.read_text() for sheet in site.rglob("*.css"))


def test_the_white_paper_is_there_and_its_sources_are_not(site: Path) -> None:
    assert {file.name for file in (site / "paper").iterdir()} == {"index.html", "nissl.html", "nissl.pdf"}
    page = (site / "paper" / "index.html").read_text()
    assert 'href="nissl.pdf"' in page
    assert 'href="nissl.html"' in page


def test_the_pages_can_be_searched(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text()
    assert "probe" in index
    assert "nissl.core.trace" in index


def test_tutorials_show_what_their_blocks_print_and_paint(site: Path) -> None:
    painted = set()
    for source in [ROOT / "docs" / "start.md", *sorted((ROOT / "docs" / "tutorials").glob("[a-z]*.md"))]:
        page = (site / source.relative_to(ROOT / "docs").with_suffix(".html")).read_text()
        assert source.stem == "frameworks" or 'class="output' in page or "output highlight" in page
        painted |= set(re.findall(r'<img alt="(?=[^"]{20})[^"]*" src="(pictures/[^"]+)"', page))
    assert len(painted) > 7
    assert all((site / "tutorials" / name).stat().st_size > 10_000 for name in painted)
    assert (site / "tutorials" / "pictures" / "digits.html").exists()


@pytest.mark.parametrize(
    ("page", "order"),
    [
        ("index", ("start", "tutorials/index", "how-to/index")),
        ("tutorials/index", ("../start", "index", "record", "read", "../how-to/index")),
        ("how-to/index", ("../tutorials/index", "index", "record-your-loop")),
    ],
)
def test_rooms_and_tutorials_are_in_the_order_in_which_one_reads_them(
    site: Path, page: str, order: tuple[str, ...]
) -> None:
    """Of the other rooms a page names the first page only: all pages of all on each would be most of the site."""
    shown = (site / f"{page}.html").read_text().partition("md-nav--primary")[2].partition("md-sidebar--secondary")[0]
    named = re.findall(r'href="([\w./-]+)\.html"', shown)
    places = [named.index(other) for other in order]
    assert places == sorted(places)


def test_pages_that_are_opened_from_a_folder_can_be_searched(site: Path) -> None:
    if chromium.executable() is None:
        pytest.skip(chromium.INSTALL)
    with chromium.page() as tab:
        tab.go((site / "start.html").as_uri())
        tab.until("document.readyState === 'complete'", 60)
        tab.js("document.querySelector('.md-search__input').focus()")
        for letter in "backbone":
            tab.key(letter)
        assert "glossary.html" in tab.until(
            "[...document.querySelectorAll('.md-search-result__link')].map((link) => link.href).join(' ')", 60
        )
        assert tab.complaints() == []
        assert all(address.startswith(("file:", "data:")) for address in tab.requests())
