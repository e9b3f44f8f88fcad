"""What `nissl demo` shows: a table, pictures where they can be painted, and what to try next."""

import os
import shutil
import sys
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
    for line in (
        f"  {command('nissl')} info {shown.path}",
        f"  {command('nissl')} show {shown.path} {shown.best}",
        f'  {command("python")} -c "import nissl; print(nissl.open({str(shown.path)!r})[{shown.best!r}])"',
    ):
        says.print(line, soft_wrap=True, markup=False)


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
