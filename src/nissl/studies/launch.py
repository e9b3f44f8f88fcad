"""`launch`: run a command of the user's so that every Python that starts under it records its training."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nissl.core.session import FOLDER, VARIABLE, Asked, beside
from nissl.errors import BadValue, MissingData, TraceExists


def launch(command: Sequence[str], out: str | Path | None = None, **asked: Any) -> int:
    """Become this command, recorded: on POSIX it never returns. `asked`: the fields of nissl.core.session.Asked."""
    program, environment = prepared(command, out, **asked)
    if os.name == "posix":
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(program, list(command), environment)  # noqa: S606 - the user's own command
    return subprocess.call([program, *command[1:]], env=environment)  # noqa: S603 - the same


def prepared(
    command: Sequence[str], out: str | Path | None = None, *, recording: Mapping[str, Any] | None = None, **asked: Any
) -> tuple[str, dict[str, str]]:
    """The program and the environment that makes it record; refuses what cannot be meant before anything runs."""
    from nissl.core.settings import Settings

    if not command:
        raise BadValue("Say what to run, after two dashes: nissl record -- python train.py ARGS")
    program = shutil.which(command[0])
    if program is None:
        hint = f" Write: nissl record -- python {command[0]}" if command[0].endswith(".py") else ""
        raise MissingData(f"There is no program {command[0]!r} to run.{hint}")
    Settings(**(recording or {}))
    _sensible(asked)
    place = _place(command, out, go_on=bool(asked.get("resume") or asked.get("overwrite")))
    mark = Path(tempfile.gettempdir()) / f"nissl-record-{os.getpid()}"
    mark.unlink(missing_ok=True)
    wanted = Asked(
        str(place.absolute()), **asked, recording=dict(recording or {}), command=tuple(command), main=os.getpid(), mark=str(mark)
    )  # fmt: skip
    path = [FOLDER, *filter(None, [os.environ.get("PYTHONPATH")])]
    return program, os.environ | {"PYTHONPATH": os.pathsep.join(path), VARIABLE: json.dumps(asdict(wanted))}


def _sensible(asked: Mapping[str, Any]) -> None:
    if asked.get("resume") and asked.get("overwrite"):
        raise BadValue("resume=True goes on with the trace that is there, overwrite=True deletes it: choose one.")
    steps = asked.get("epoch_steps")
    if steps is not None and steps < 1:
        raise BadValue(f"epoch_steps={asked['epoch_steps']}: how many optimiser steps make an epoch, from 1.")
    if asked.get("probe", 0) < 0:
        raise BadValue(f"probe={asked['probe']}: how many examples to keep, or 0 for none.")
    try:
        compile(asked.get("labels") or "none", "--labels", "eval")
    except SyntaxError as error:
        raise BadValue(
            f"labels={asked['labels']!r} is no expression: write batch[1], batch.labels, a variable's name, or none."
        ) from error


def _place(command: Sequence[str], out: str | Path | None, *, go_on: bool) -> Path:
    if out is None:
        place = Path("runs") / _name(command)
        return place if go_on or not place.exists() else beside(place)
    if "://" in str(out):
        raise BadValue(
            f"out={out}: nissl record writes into a folder. To record at an address, write nissl.record(model, address) in the script."
        )
    place = Path(out)
    if place.exists() and not go_on and any(place.iterdir() if place.is_dir() else [place]):
        raise TraceExists(
            f"There is something at {place} already: pass resume=True to go on with it, or overwrite=True."
        )
    return place


def _name(command: Sequence[str]) -> str:
    """What a run of this command is called: its script's name, its module's, or the program's."""
    words = list(command)
    script = next((Path(word).stem for word in words if word.endswith(".py")), None)
    if script is None and "-m" in words[:-1]:
        script = words[words.index("-m") + 1]
    program = Path(words[0]).stem
    return (
        re.sub(r"[^\w.-]+", "-", script or program).strip("-.")
        if script or not program.startswith("python")
        else "script"
    )
