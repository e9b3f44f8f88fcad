"""`make check` bites: style and types catch planted faults, with the settings of this repository."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
DOC = '"""Planted."""\n\n'
LATER = "TO" + "DO"


def tool(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / words[0], *words[1:]], cwd=ROOT, input=given, capture_output=True, text=True, check=False
    )


FAULTS = {
    "no module docstring": ("D100", "X = 1\n"),
    "no class docstring": ("D101", f"{DOC}class Ring:\n    pass\n"),
    "no function docstring": ("D103", f"{DOC}def ring() -> None:\n    pass\n"),
    "left for later": ("FIX002", f"{DOC}X = 1  # {LATER}: more\n"),
    "code in a comment": ("ERA001", f"{DOC}# x = ring(1)\n"),
    "a print": ("T201", f"{DOC}print('here')\n"),
    "a bare except": ("E722", f"{DOC}try:\n    X = 1\nexcept:\n    pass\n"),
    "everything caught": ("BLE001", f"{DOC}try:\n    X = 1\nexcept Exception:\n    X = 2\n"),
    "a mutable default": ("B006", f'{DOC}def ring(x: list[int] = []) -> None:\n    """Ring."""\n    x.append(1)\n'),
    "an unused import": ("F401", f"{DOC}import os\n"),
    "a relative import": ("TID252", f"{DOC}from ..core import layer\n\nX = layer\n"),
}


@pytest.mark.parametrize(("code", "text"), FAULTS.values(), ids=FAULTS)
def test_lint_catches(code: str, text: str) -> None:
    done = tool("ruff", "check", "--stdin-filename", "src/nissl/core/planted.py", "-", given=text)
    assert done.returncode == 1
    assert code in done.stdout


def test_format_catches() -> None:
    assert tool("ruff", "format", "--check", "--stdin-filename", "src/nissl/a.py", "-", given="x = 1\n").returncode == 0
    assert tool("ruff", "format", "--check", "--stdin-filename", "src/nissl/a.py", "-", given="x=1\n").returncode == 1


def test_types_catch(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "def untyped(x):\n    return x\n\n\ndef wrong(x: int) -> str:\n    return x\n\n\nx: int = ''  # type: ignore\n"
    )
    done = tool("mypy", "--cache-dir", str(tmp_path / "cache"), str(planted))
    assert done.returncode == 1
    assert all(code in done.stdout for code in ("no-untyped-def", "return-value", "ignore-without-code"))
