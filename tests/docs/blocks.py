"""The fenced blocks of a Markdown page: which run, which don't, and why."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
EXCUSE = re.compile(r'python no-run reason="[^"]{10,}"')


@dataclass(frozen=True)
class Block:
    info: str
    text: str
    line: int
    """Where its first line of text stands in the page."""

    @property
    def runs(self) -> bool:
        return self.info == "python"

    @property
    def fault(self) -> str | None:
        """Why the page may not mark it so."""
        if self.info.split(" ")[0].lower() not in ("python", "py", "pycon", "python3") or self.runs:
            return None
        if EXCUSE.fullmatch(self.info):
            return None
        return f'line {self.line - 1}: write ```python, or ```python no-run reason="why", not ```{self.info}'


def blocks(page: str) -> list[Block]:
    found = []
    for fence in FENCE.finditer(page):
        text = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
        found.append(Block(fence["info"].strip(), text, page.count("\n", 0, fence.start()) + 2))
    return found


def run(page: Path) -> dict[str, Any]:
    """Run a page's blocks one after the other in one namespace; a traceback points at the page's own lines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page.read_text()):
        if block.runs:
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)
    for name, value in list(names.items()):
        if name.startswith("Test") and isinstance(value, type):
            _as_pytest_would(value)
    return names


def _as_pytest_would(suite: type) -> None:
    """Run the tests of a class that a page shows; the only fixture it may ask for is tmp_path."""
    for name in dir(suite):
        if name.startswith("test_"):
            test, place = getattr(suite(), name), Path(name)
            place.mkdir()
            test(**dict.fromkeys(inspect.signature(test).parameters, place))


def commands(page: str) -> Iterator[list[str]]:
    """Every `nissl ...` in a page's shell blocks, as words; comments and what follows a pipe are left out."""
    for block in blocks(page):
        if block.info in ("sh", "bash", "shell", "console"):
            for line in block.text.replace("\\\n", " ").splitlines():
                call = re.search(r"(?:^|[\s/])nissl (?P<words>[^#|;&>]*)", line)
                if call:
                    yield call["words"].split()
