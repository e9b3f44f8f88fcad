"""`make docs`: the site builds without a warning, has every module, and fetches nothing from anywhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
