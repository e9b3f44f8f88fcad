"""A Python process under `nissl record`: from its start to its exit code."""

import atexit
import gc
import io
import itertools
import json
import os
import sys
import sysconfig
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from nissl import plugins
from nissl.core.script import Script
from nissl.core.session import NOTHING, VARIABLE, Asked, Session
from nissl.scripts._hook.imports import awaited
from nissl.scripts._hook.patches import replaced


def begin(words: str) -> None:
    """Called once by sitecustomize, before anything of the user's runs."""
    given = json.loads(words)
    first = given.pop("first", True)
    asked = Asked(**given | {"command": tuple(given["command"])})
    line = " ".join(sys.orig_argv)
    if "multiprocessing.resource_tracker" in line or "multiprocessing.forkserver" in line:
        return
    process = Process(Session(asked, first=first, worker="--multiprocessing-fork" in line))
    os.environ[VARIABLE] = json.dumps(asdict(asked) | {"first": False})
    os.register_at_fork(after_in_child=process.forked)
    process.open()


class Process:
    """Loads a plug-in for each library that the script imports, and ends with the script."""

    def __init__(self, session: Session):
        self.session = session
        self.scripts: list[Script] = []
        self.code: Any = None
        """What the script said that it ends with."""
        self._stack = ExitStack()
        self._closed = False

    def open(self) -> None:
        names = {name: partial(self._imported, name) for name in plugins.names("scripts")}
        self._stack.enter_context(awaited(names))
        self._stack.enter_context(replaced(sys, "exit", self._noting))
        import _sitebuiltins

        self._stack.enter_context(replaced(_sitebuiltins.Quitter, "__call__", self._noting))
        atexit.register(self._end)

    def _noting(self, leave: Callable[..., Any]) -> Callable[..., Any]:
        def exit(*given: Any) -> None:  # noqa: A001 - it stands for that
            self.code = given[-1] if given and not hasattr(given[-1], "eof") else None
            leave(*given)

        return exit

    def forked(self) -> None:
        self.session.alive = False

    def _imported(self, name: str) -> None:
        if not self.session.alive:
            return
        try:
            script: Script = plugins.load("scripts", name)(self.session)
            self._stack.enter_context(script.overheard())
        except Exception as error:  # noqa: BLE001 - the user's import must succeed
            self.session.fail(f"{name} cannot be overheard here: {type(error).__name__}: {error}")
            return
        self.scripts.append(script)
        import concurrent.futures.thread  # noqa: F401 - what it leaves for the end must come after ours

        if self.session.worker:  # multiprocessing ends its children by itself, and before their Python ends
            from multiprocessing.util import Finalize

            Finalize(None, self.close, exitpriority=100)
        later = getattr(threading, "_register_atexit", atexit.register)  # while threads can still be started
        later(self.close)

    def close(self) -> None:
        """The script's own code has ended: finish the traces."""
        if self._closed or not self.session.alive:
            return
        self._closed = True
        error = sys.exc_info()[1] or getattr(
            sys, "last_value", None
        )  # multiprocessing ends a child while its error flies
        if error is None and self.code not in (None, 0, False):
            error = SystemExit(self.code)
        for script in self.scripts:
            script.close(error)
        self._stack.close()

    def _end(self) -> None:
        """Nearly the last thing that this Python does."""
        if not self.session.alive:
            return
        self.close()
        if getattr(sys, "last_type", None) is KeyboardInterrupt:
            _interrupted()
        asked, session = self.session.asked, self.session
        main = os.getpid() == asked.main
        others = bool(asked.mark) and Path(asked.mark).exists()
        if main and others:
            Path(asked.mark).unlink(missing_ok=True)
        if session.recorded or session.worker or (others and not session.failed):
            return
        seen = [text for text in (script.seen() for script in self.scripts) if text]
        if not (main or seen or (session.first and self.scripts)):
            return
        why = "What keeps it from that is said above." if session.failed else _why(self.scripts, seen)
        session.shout(f"nothing was recorded. {why}")
        if main and self.code in (None, 0, False) and not hasattr(sys, "last_type") and not _raises_its_code():
            _leave(NOTHING)


def _interrupted() -> None:
    """Python dies of SIGINT if the last code that it ran from text, and not only imported, was interrupted: be that once more."""
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")  # noqa: S102 - dataclasses made while the trace was closed have run other text since


def _raises_its_code() -> bool:
    """Does code of the user's say SystemExit? With what code that ends a Python, nothing tells at its end."""
    library = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    ours = str(Path(__file__).parents[2]) + os.sep
    said = [word for option, word in itertools.pairwise(sys.orig_argv) if option == "-c"]
    for module in list(sys.modules.values()):
        place = getattr(module, "__file__", None)
        if isinstance(place, str) and place.endswith(".py") and not place.startswith((ours, *library)):
            with suppress(OSError, SyntaxError, UnicodeError):
                said.append(Path(place).read_text(encoding="utf-8"))
    return any("SystemExit" in text for text in said)


def _why(scripts: list[Script], seen: list[str]) -> str:
    if not scripts:
        known = ", ".join(plugins.names("scripts"))
        return f"{sys.executable} imported none of the libraries that can be overheard: {known}."
    names = ", ".join(type(script).__name__ for script in scripts)
    if not seen:
        return (
            f"{names} was imported, but no training was heard: no optimiser was made, no model was called in training mode. "
            "Did the script train in this process? Otherwise see `nissl record --help`."
        )
    return " ".join(seen)


def _leave(code: int) -> None:
    """Exit with another code than Python would: what Python flushes at its end is flushed here."""
    for thing in gc.get_objects():
        if type(thing) in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom):
            try:
                if not thing.closed:
                    thing.flush()
            except (OSError, ValueError):
                continue
    os._exit(code)
