"""One process of a script that is recorded without being edited: what was asked, where it goes, what is told."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOTHING = 3
"""The exit code of a script that ended well and was not recorded."""


@dataclass(frozen=True)
class Asked:
    """What `nissl record` was told, as it travels in the environment."""

    out: str
    """The folder of the trace."""
    resume: bool = False
    overwrite: bool = False
    model: str | None = None
    epoch_steps: int | None = None
    labels: str | None = None
    probe: int = 256
    recording: Mapping[str, Any] = field(default_factory=dict)
    """Fields of nissl.core.settings.Settings."""
    command: tuple[str, ...] = ()
    main: int = 0
    """The process that the command itself is."""
    mark: str = ""
    """The file that is made as soon as any process records."""


class Session:
    """Made when a Python starts under `nissl record`; the plug-ins of `scripts/` talk to it."""

    def __init__(self, asked: Asked, *, first: bool = True, worker: bool = False):
        """`first`: no Python further up is recorded too; `worker`: a child that `multiprocessing` has started."""
        self.asked, self.first, self.worker = asked, first, worker
        self.alive = True
        """False in a forked copy of the process: what happens there is heard no more."""
        self.library: str | None = None
        """Whose training loop runs now, where a callback of ours records it."""
        self.recorded: list[Path] = []
        self.failed = False
        self._again: Path | None = None
        """A trace that holds no training: the next one takes its place."""
        self.rank, self.world = int(os.environ.get("RANK") or 0), int(os.environ.get("WORLD_SIZE") or 1)
        """Which of how many processes this is that train one model; a plug-in may know better than the environment."""

    def say(self, text: str) -> None:
        """A line for the user; only the first of several processes speaks."""
        if self.rank == 0:
            self.shout(text)

    def shout(self, text: str) -> None:
        """A line for the user, whichever process this is."""
        if sys.stderr is not None:
            sys.stderr.write(f"nissl: {text}\n")
            sys.stderr.flush()

    def fail(self, text: str) -> None:
        """Something keeps this script from being recorded; the script itself goes on."""
        self.failed = True
        self.shout(text)

    @property
    def options(self) -> dict[str, Any]:
        """What `nissl.record` and the callbacks take, besides model, path and probe."""
        asked = self.asked
        return {
            "resume": asked.resume, "overwrite": (asked.overwrite and not self.recorded) or bool(self._again and not asked.resume),
            "config": {"command": list(asked.command)}, "progress": False, **asked.recording,
        }  # fmt: skip

    def place(self) -> Path:
        """Where the next trace goes: the folder that was asked for, or one beside it where that is taken already."""
        if self._again:
            return self._again
        out, before = Path(self.asked.out), len(self.recorded)
        if self.world > 1:  # all of them go to the same place, whoever comes first
            return out.with_name(f"{out.name}-{before + 1}") if before else out
        free = self.asked.resume or self.asked.overwrite or not out.exists()
        return out if free and not before else beside(out)

    def began(self, path: Path) -> None:
        """A trace is open: children of this process are its helpers and need not listen."""
        self.recorded.append(path)
        self._again = None
        if self.asked.mark and os.getpid() != self.asked.main:  # it knows by itself what it recorded
            Path(self.asked.mark).touch()
        undo(os.environ)

    def forget(self) -> None:
        """What was recorded last was no training."""
        self._again = self.recorded.pop()

    @contextmanager
    def run_by(self, library: str, path: Path | None = None) -> Iterator[None]:
        """While `library` runs the training loop a callback records it (ours, to `path`); nobody else does."""
        before, self.library = self.library, library
        if path is not None:
            self.began(path)
        try:
            yield
        finally:
            self.library = before

    @property
    def free(self) -> bool:
        """May a plug-in look at what happens now?"""
        return self.alive and self.library is None


VARIABLE = "NISSL_SCRIPT"
"""Holds what was asked, as JSON, for every Python that starts."""
FOLDER = str(Path(__file__).parents[1] / "scripts" / "_start")
"""Goes in front of PYTHONPATH: Python imports the sitecustomize.py that it finds there."""


def undo(environment: Any) -> None:
    """Take out of an environment what makes a Python record."""
    environment.pop(VARIABLE, None)
    kept = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part and part != FOLDER]
    if kept:
        environment["PYTHONPATH"] = os.pathsep.join(kept)
    else:
        environment.pop("PYTHONPATH", None)


def shown(path: Path) -> str:
    """A path as short as it can be said here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def beside(path: Path) -> Path:
    """The first of runs/a-2, runs/a-3 ... that is not there."""
    number = 2
    while (found := path.with_name(f"{path.name}-{number}")).exists():
        number += 1
    return found
