"""Scripts, bare and under `nissl record`."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PATTERNS = Path(__file__).parent / "patterns"
Ran = subprocess.CompletedProcess[str]


def bare(command: list[str], folder: Path, **more: Any) -> Ran:
    folder.mkdir(exist_ok=True)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120, **more)


def alone(command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a pattern prints when it runs in this process, where torch is imported already."""
    monkeypatch.setattr(sys, "argv", command[1:])
    monkeypatch.syspath_prepend(str(PATTERNS))
    monkeypatch.delitem(sys.modules, "start", raising=False)
    capsys.readouterr()
    runpy.run_path(command[1], run_name="__main__")
    monkeypatch.delitem(sys.modules, "start", raising=False)
    return capsys.readouterr().out


def recorded(command: list[str], folder: Path, *options: str, **more: Any) -> Ran:
    return bare([sys.executable, "-m", "nissl", "record", *options, "--", *command], folder, **more)


def python(script: str, *words: str) -> list[str]:
    return [sys.executable, str(PATTERNS / script), *words]
