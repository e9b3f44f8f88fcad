"""The pages that tell a story: their blocks run while the site is built, and what each prints and paints is shown below it."""

import contextlib
import io
import logging
import os
import re
import shlex
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docs.blocks import Block, blocks

DOCS = Path(__file__).parent
PICTURES = "pictures"
"""Where a block puts what is to be shown."""
log = logging.getLogger("mkdocs.hooks.weaving")


def named(room: Path) -> list[str]:
    """A room's pages in the order in which its index names them."""
    index = room / "README.md"
    return list(dict.fromkeys(re.findall(r"\]\((\w[\w-]*\.md)\)", index.read_text()))) if index.exists() else []


def story() -> list[Path]:
    """The ten minutes, then the tutorials in their order."""
    return [DOCS / "start.md", *(DOCS / "tutorials" / name for name in named(DOCS / "tutorials"))]


@dataclass
class Told:
    """What came of it."""

    pages: dict[Path, str] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)


def told(place: Path) -> Told:
    """Run all of it in one folder, page after page, as somebody does who reads it."""
    found, before = Told(), Path.cwd()
    os.environ.update(MPLBACKEND="agg", NO_COLOR="1", TERM="dumb")
    os.chdir(place)
    try:
        for page in story():
            found.pages[page] = _woven(page, found.pictures)
    finally:
        os.chdir(before)
    return found


def _woven(page: Path, pictures: dict[str, bytes]) -> str:
    text, names = page.read_text(), {"__name__": "__main__"}
    parts, at = [], 0
    for block in blocks(text):
        parts.append(text[at : block.end])
        at = block.end
        if block.runs or block.info == "sh run":
            parts += [f"\n\n{shown}" for shown in _shown(block, names, page, pictures)]
    return "".join(parts) + text[at:]


def _shown(block: Block, names: dict[str, Any], page: Path, pictures: dict[str, bytes]) -> Iterator[str]:
    """What a block prints, and what it leaves among the pictures."""
    printed = _printed(block, names, page)
    if printed:
        yield f"```{{.text .output}}\n{printed}\n```"
    for file in sorted(Path(PICTURES).glob("*.*"), key=lambda file: file.stat().st_mtime_ns):
        content = file.read_bytes()
        if pictures.get(file.name) != content:
            pictures[file.name] = content
            where = ("tutorials/" if page.parent == DOCS else "") + f"{PICTURES}/{file.name}"
            yield f"[Open {file.name}]({where})" if file.suffix == ".html" else f"![{_said(file)}]({where})"


def _printed(block: Block, names: dict[str, Any], page: Path) -> str:
    out = io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        if block.info == "sh run":
            _commands(block.text)
        else:
            block.run(names, str(page))
    for warning in caught:  # which a strict build does not forgive
        log.warning("%s, line %d: %s", page.name, block.line, warning.message)
    return re.sub(r"[ \t]+$", "", out.getvalue(), flags=re.MULTILINE).strip("\n")


def _commands(text: str) -> None:
    from nissl.apps.cli import main

    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["nissl"] or main(words[1:]):
            raise RuntimeError(f"{line}: failed, or is no command of nissl")


def _said(file: Path) -> str:
    """A picture in words, as its painter wrote them into it."""
    from PIL import Image

    with Image.open(file) as image:
        said = image.info.get("Description", file.stem)
    return re.sub(r"[\[\]\n]+", " ", str(said)).strip()
