"""A real notebook server, in a process of its own, whose pages a browser opens."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

INSTALL = "no {0} is here: pip install 'nissl[notebook]' {0}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(words: list[str], address: str, home: Path) -> Iterator[str]:
    """Its address once it answers; what it writes for its user goes below `home`."""
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH")]))
    own = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    own |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONPATH": paths, "IPYTHONDIR": str(home / "ipython")}
    log = home / "log"
    with log.open("w") as said, subprocess.Popen(
        [sys.executable, "-m", *words], env=os.environ | own, cwd=home, stdout=said, stderr=said, start_new_session=True
    ) as process:  # fmt: skip
        try:
            end = time.monotonic() + 90
            while True:
                with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
                    break
                assert process.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < end, log.read_text()[-2000:]
                time.sleep(0.2)
            yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)


def notebook(path: Path, *cells: str) -> Path:
    """A notebook of these cells of code, not run yet."""
    listed = [
        {"cell_type": "code", "id": f"cell{i}", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
        for i, cell in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": listed, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path
