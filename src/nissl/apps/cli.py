"""The terminal's door: one function a command, each a call of what Python can call too."""

import importlib
import inspect
import os
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError
from cyclopts.config import Env

from nissl.apps._cli import commands
from nissl.apps._cli.options import from_toml
from nissl.errors import NisslError, NisslWarning

WORDS = {
    "resume=True": "--resume or --overwrite",
    "overwrite=True": "--overwrite",
    "download=True": "--data.download true",
}
"""What messages say in Python's words, in a terminal's."""


def app() -> App:
    """The commands, and where their options may come from: command line, then environment, then TOML."""
    made = App(
        name="nissl",
        help="See inside a neural network while it learns: record its trace, look into it, take it elsewhere.\n\n"
        "Start with `nissl demo`. Each command explains itself: `nissl train --help`. NISSL_DEBUG=1 shows where an error comes from.",
        help_format="markdown",
        version=_version,
        config=[Env("NISSL_", show=False), from_toml],
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )
    for module in pkgutil.iter_modules(commands.__path__):
        made.command(_command(module.name), name=module.name)
    return made


def _command(name: str) -> Any:
    """The file's one public function."""
    module = importlib.import_module(f"{commands.__name__}.{name}")
    own = (
        value for value in vars(module).values() if inspect.isfunction(value) and value.__module__ == module.__name__
    )
    return next(value for value in own if not value.__name__.startswith("_"))


def _version() -> str:
    from importlib.metadata import version

    return version("nissl")


def _warned(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """What went wrong and where the run goes on, without the line of our source that says so."""
    print(str(message) if issubclass(category, NisslWarning) else f"{category.__name__}: {message}", file=sys.stderr)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 2 for what nissl or the system refuses, 130 for Ctrl-C."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warned
            app()(words, result_action="return_none")
    except (NisslError, CycloptsError, OSError) as error:
        if os.environ.get("NISSL_DEBUG", "0") not in ("", "0"):
            raise
        said = [words for python, words in WORDS.items() if python in str(error)]
        print(f"nissl: {error}{f' In a terminal: {said[0]}.' if said else ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
