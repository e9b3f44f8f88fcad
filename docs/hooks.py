"""What mkdocs is told besides its configuration: pages that are made from the code and from the repository's own pages."""

import gc
import os
import re
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.utils import nest_paths

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is there: what blocks print does not hang on the machine

import weaving  # noqa: E402

PACKAGE = ROOT / "src" / "nissl"
FRONT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "RELEASING.md": "releasing.md",
}
ORDER = (
    "index", "start", "tutorials", "how-to", "coming-from", "faq", "glossary", "reference", "frameworks", "trace-format", "paper", "figures", "design", "changelog", "contributing", "releasing", "security",
)  # fmt: skip
"""How the site's pages and rooms follow each other; what isn't named comes last."""
MARKS = {
    'python no-run reason="([^"]+)"': r"\1*Not run by the tests: \2.*\n\n\1```python",
    r'python needs="(\w+)"': r"\1```python",
    'python run-by="([^"]+)"': r"\1```python",
    "sh run": r"\1```sh",
}
"""What only the tests need to know of a block, and what a reader sees instead."""


def on_config(config: Any) -> Any:
    """A build keeps most of what it makes: to look through all of it again and again would be a third of its time."""
    gc.disable()
    return config


def on_post_build(**_: Any) -> None:
    """What a server keeps running for is looked through as ever."""
    gc.enable()


def on_files(files: Files, config: Any) -> Files:
    """Add the repository's front pages, and reference/ROOM/MODULE.md for every module that is not private."""
    for name, page in FRONT.items():
        files.append(File.generated(config, page, content=_moved((ROOT / name).read_text())))
    for shown in sorted(
        [*ROOT.glob("benchmarks/results/*.json"), *ROOT.glob("examples/*.ipynb")]
    ):  # the front page points at them
        files.append(File.generated(config, shown.relative_to(ROOT).as_posix(), content=shown.read_text()))
    for source in sorted(PACKAGE.rglob("*.py")):
        parts = source.relative_to(PACKAGE).with_suffix("").parts
        if any(part.startswith("_") and part != "__init__" for part in parts):
            continue
        room, index = (parts[:-1], True) if parts[-1] == "__init__" else (parts, False)
        module, page = ".".join(("nissl", *room)), "/".join(("reference", *room))
        page = f"{page}/index.md" if index else f"{page}.md"
        files.append(File.generated(config, page, content=f"# {module}\n\n::: {module}\n"))
    for name, content in _told().pictures.items():
        files.append(File.generated(config, f"tutorials/{weaving.PICTURES}/{name}", content=content))
    config.nav = nest_paths(file.src_uri for file in sorted(files.documentation_pages(), key=_place))
    return files


@cache
def _told() -> weaving.Told:
    """The pages that tell a story, with what their blocks print and paint."""
    with tempfile.TemporaryDirectory() as place:
        return weaving.told(Path(place))


def _place(file: File) -> tuple[int, int, str]:
    """Where a page stands among all: rooms in their order, pages as their room's index names them, the rest by name."""
    path = Path(file.src_uri)
    room = "index" if file.src_uri == "README.md" else path.with_suffix("").parts[0]
    named = weaving.named(weaving.DOCS / path.parent)
    within = named.index(path.name) if path.name in named else -1 if path.name == "README.md" else len(named)
    place = ORDER.index(room) if room in ORDER else len(ORDER)
    return place, within, re.sub(r"(README|index)\.md$", " ", file.src_uri)


def on_page_read_source(page: Any, **_: Any) -> str | None:
    """The woven page in place of the one that was written."""
    return _told().pages.get(Path(page.file.abs_src_path or ""))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Show in words what a block's mark says; results lie beside the pages here, not above."""
    markdown = markdown.replace("](../benchmarks/", "](benchmarks/")
    for mark, shown in MARKS.items():
        markdown = re.sub(f"^( *)```{mark}$", shown, markdown, flags=re.MULTILINE)
    return markdown


def _moved(text: str) -> str:
    """Links of a page at the repository's root, as seen from docs/."""
    for name, page in FRONT.items():
        text = text.replace(f"]({name}", f"]({page}")
    return text.replace("](docs/", "](").replace("](LICENSE)", "](https://www.apache.org/licenses/LICENSE-2.0)")
