"""The fenced blocks of a Markdown page: which run, which don't, and why."""

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
EXCUSE = re.compile(r'python no-run reason="[^"]{10,}"')
NEED = re.compile(r'python needs="(\w+)"')
RUNNER = re.compile(r'python run-by="(tests/[\w/]+\.py)"')
SHELL = ("sh", "bash", "shell", "console", "sh run")


@dataclass(frozen=True)
class Block:
    info: str
    text: str
    line: int
    """Where its first line of text stands in the page."""
    end: int
    """How many characters of the page lie before what follows it."""

    @property
    def needs(self) -> str:
        """The framework without which it can't run."""
        found = NEED.fullmatch(self.info)
        return found[1] if found else ""

    @property
    def runner(self) -> str:
        """The test that runs it, where it takes more than a page can bring: other processes, a server."""
        found = RUNNER.fullmatch(self.info)
        return found[1] if found else ""

    @property
    def runs(self) -> bool:
        return self.info == "python" or bool(self.needs and importlib.util.find_spec(self.needs))

    @property
    def fault(self) -> str | None:
        """Why the page may not mark it so."""
        if self.info.split(" ")[0].lower() not in ("python", "py", "pycon", "python3") or self.runs:
            return None
        if EXCUSE.fullmatch(self.info) or self.needs or self.runner:
            return None
        return (
            f'line {self.line - 1}: write ```python, ```python needs="jax", ```python run-by="tests/..." or '
            f'```python no-run reason="why", not ```{self.info}'
        )

    def run(self, names: dict[str, Any], page: str) -> None:
        """Run it with what the blocks before it left; a traceback points at the page's own lines."""
        exec(compile("\n" * (self.line - 1) + self.text, page, "exec"), names)


def blocks(page: str) -> list[Block]:
    found = []
    for fence in FENCE.finditer(page):
        text = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
        line = page.count("\n", 0, fence.start()) + 2
        found.append(Block(fence["info"].strip(), text, line, fence.end()))
    return found


def entrusted(page: str, test: str) -> list[Block]:
    """The blocks of a page of docs/ that leave it to this test file to run them."""
    runner = str(Path(test).relative_to(ROOT))
    found = [block for block in blocks((ROOT / "docs" / page).read_text()) if block.runner == runner]
    assert found, f"{page} has nothing that {runner} runs"
    return found


def run(page: Path, need: str = "") -> dict[str, Any]:
    """Run a page's blocks one after the other in one namespace; of those that need a framework, those of this one."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page.read_text()):
        if block.runs and block.needs in ("", need):
            block.run(names, str(page))
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
        if block.info in SHELL:
            for line in block.text.replace("\\\n", " ").splitlines():
                call = re.search(r"(?:^|[\s/])nissl (?P<words>[^#|;&>]*)", line)
                if call:
                    yield call["words"].split()


def exists(name: str) -> bool:
    """Is there a module, or something in one, of this dotted name?"""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found is not None
    return False
