"""What mkdocs is told besides its configuration: pages that are made from the code and from the repository's own pages."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "nissl"
FRONT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "RELEASING.md": "releasing.md",
}


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
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Show the reason of a block that is not run, instead of its mark; results lie beside the pages here, not above."""
    markdown = markdown.replace("](../benchmarks/", "](benchmarks/")
    return re.sub(
        r'^( *)```python no-run reason="([^"]+)"$',
        r"\1*Not run by the tests: \2.*\n\n\1```python",
        markdown,
        flags=re.MULTILINE,
    )


def _moved(text: str) -> str:
    """Links of a page at the repository's root, as seen from docs/."""
    for name, page in FRONT.items():
        text = text.replace(f"]({name}", f"]({page}")
    return text.replace("](docs/", "](").replace("](LICENSE)", "](https://www.apache.org/licenses/LICENSE-2.0)")
