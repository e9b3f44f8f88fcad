"""The same run in nissl and in TensorBoard: from the command in a shell to the first picture, in one headless Chromium, in turn.

What was recorded of the one training stands in `_viewer/both.py`. TensorBoard is of another environment: its Python is named by
TENSORBOARD_PYTHON. A picture of nissl is there when its canvas is painted; one of TensorBoard when its first chart has a line. Neither
finds anything in a cache. Processor time is that of the server until then.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import chromium  # noqa: E402

PYTHON = os.environ.get("TENSORBOARD_PYTHON", "")
MISSING = "No TensorBoard is here: name a Python that has it, TENSORBOARD_PYTHON=.../bin/python."
NISSL = "import sys; from nissl.apps.server import view; view(sys.argv[1], browser=False)"
NISSL_SEEN = "document.querySelector('.stage canvas')?.dataset.at"
BOARD_SEEN = """(() => {
  const all = [];
  (function walk(root) { for (const one of root.querySelectorAll("*")) { all.push(one); if (one.shadowRoot) walk(one.shadowRoot); } })(document);
  return all.some(one => one.matches("line-chart, scalar-card, .chart-container") && one.getBoundingClientRect().height > 20) &&
    (all.some(one => one.tagName === "path" && (one.getAttribute("d") ?? "").split(/[LC]/).length > 3) || all.some(one => one.tagName === "CANVAS" && one.width > 50));
})()"""


def until(lines: Any, address: str) -> str:
    """The address that a server says it answers at."""
    said = ""
    for line in lines:
        said += line
        if found := re.search(address, line):
            return found[0]
    raise AssertionError(f"It never said where it is:\n{said}")


def shown(words: Sequence[str | Path], address: str, seen: str, tab: chromium.Page) -> tuple[float, float]:
    """Seconds from the command to the first picture, and of the server's processors until then."""
    tab.go("about:blank")
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        tab.go(until(process.stdout, address))
        tab.until(seen, 90)
        return time.perf_counter() - began, _worked(process.pid)
    finally:
        tab.go("about:blank")
        process.terminate()
        process.wait(20)


def _worked(pid: int) -> float:
    """Of the process and those that it has begun."""
    found = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(words[1]) == pid:
            found += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return found


def recorded(folder: Path) -> None:
    """One training, for both."""
    train = "import sys, pathlib; sys.path += sys.argv[2:]; from both import main; main(pathlib.Path(sys.argv[1]))"
    site = subprocess.check_output([PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    words = [sys.executable, "-c", train, folder, site.strip()]
    subprocess.run(words, check=True, capture_output=True, cwd=Path(__file__).parent / "_viewer")


def measured(folder: Path, runs: int) -> dict[str, Any]:
    """Both, in turn."""
    recorded(folder)
    version = subprocess.check_output([PYTHON, "-c", "import tensorboard; print(tensorboard.__version__)"], text=True)
    board = [
        PYTHON,
        "-m",
        "tensorboard.main",
        "--logdir",
        folder / "board",
        "--port",
        "0",
        "--host",
        "127.0.0.1",
        "--load_fast",
        "false",
    ]
    ways = {
        "nissl": ([sys.executable, "-c", NISSL, folder / "run"], r"http://127\.0\.0\.1:\d+/\S+", NISSL_SEEN),
        "TensorBoard": (board, r"http://(127\.0\.0\.1|localhost):\d+/", BOARD_SEEN),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with chromium.page(width=1440, height=900) as tab:
        tab.ask("Network.setCacheDisabled", cacheDisabled=True)
        for _ in range(runs):
            for name, (words, address, seen) in ways.items():
                found[name].append(shown(words, address, seen, tab))
    rows: dict[str, Any] = {"TensorBoard": version.strip()}
    for name, times in found.items():
        rows[f"{name} · command to first picture, s"] = round(statistics.median(one for one, _ in times), 2)
        rows[f"{name} · processor time of its server, s"] = round(statistics.median(one for _, one in times), 2)
    for name, way in (("nissl", folder / "run"), ("TensorBoard", folder / "board")):
        rows[f"{name} · recorded, MB"] = round(
            sum(file.stat().st_size for file in way.rglob("*") if file.is_file()) / 1e6, 1
        )
    return rows


def main() -> None:
    """Print the rows, and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one turn, and nothing is kept")
    quick = parser.parse_args().quick
    if chromium.executable() is None or not PYTHON:
        print(chromium.INSTALL if chromium.executable() is None else MISSING)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder), 1 if quick else 5)
    for name, row in rows.items():
        print(f"{name:50} {row}")
    if not quick:
        about = {"machine": platform.machine(), "cores": os.cpu_count(), "load before": load}
        (Path(__file__).parent / "results" / "tensorboard.json").write_text(
            json.dumps(about | {"found": rows}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
