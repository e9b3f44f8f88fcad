"""What `nissl demo` shows: a table, pictures where they can be painted, and what to try next."""

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from nissl.apps._cli.screens import console, table
from nissl.errors import MissingDependency
from nissl.studies.demo import Demo


def show(shown: Demo, out: Path) -> None:
    """Everything that the demo has to say."""
    says = console()
    says.print(table(("seen", ""), shown.seen))
    says.print(painted(shown, out), soft_wrap=True, markup=False)
    says.print("Try next:")
    for line in following(shown):
        says.print(f"  {line}", soft_wrap=True, markup=False)


def following(shown: Demo) -> list[str]:
    """The three commands that are most worth trying on what is there: look around in it, prove a part of it, record one's own."""
    ours, run, name = command("nissl"), shlex.quote(str(shown.path)), shown.adds_to
    page = f"{ours} view {run}" if find_spec("uvicorn") else f"{ours} report {run} -o {run}.html"
    told = {
        page: "look around: move through the epochs, stain classes, follow a unit",
        f"{ours} structure {run} --target {shlex.quote(name)} --verify": f"what makes {name}: found, and proved by cutting it",
        f"{ours} record -- python train.py": "a training script of your own, as it is",
    }
    wide = max(map(len, told))
    return [f"{line:{wide}}  # {why}" for line, why in told.items()]


def command(name: str) -> str:
    """How to call a command of this very installation from here: its path, where a shell would not find it by name."""
    ours = Path(sys.executable).with_name(name)
    return name if not ours.exists() or shutil.which(name) == str(ours) else os.path.relpath(ours)


def painted(shown: Demo, out: Path) -> str:
    """Where the pictures are, or how to get them."""
    try:
        from nissl.apps.figure import paint

        for old in out.glob(f"{shown.path.name}_*.png"):
            old.unlink()  # an earlier demo's, of a trace that is no more
        for name, view in shown.pictures.items():
            paint(view.describe(), out / f"{shown.path.name}_{name}.png")
    except MissingDependency as error:
        return f"No pictures: {error}"
    return f"Pictures: {out}/{shown.path.name}_*.png ({', '.join(shown.pictures)})"
