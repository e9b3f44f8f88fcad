"""A script that measures in a browser: what it is asked, what it prints beside what is to be reached, what it keeps."""

import argparse
import json
import os
import platform
from collections.abc import Callable
from typing import Any

from benchmarks._figures.page import HERE

from tests.browser import chromium

Rows = dict[str, Any]


def run(about: str | None, name: str, reach: Rows, measured: Callable[[bool], Rows]) -> None:
    """Measure, quickly or not, by parts or at once; without a browser say how to get one."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, and nothing is kept")
    quick = parser.parse_args().quick
    if chromium.executable() is None:
        print(chromium.INSTALL)
        return
    load = round(os.getloadavg()[0], 1)
    found = {key: short(row) for key, row in measured(quick).items()}
    for key, row in flat(found).items():
        print(f"{key:56} {row}{f'   reach {reach[key]}' if key in reach else ''}")
    if not quick:
        where = {"machine": platform.machine(), "cores": os.cpu_count(), "load before": load}
        kept = json.dumps(where | {"reach": reach, "found": found}, indent=2)
        (HERE / "results" / f"{name}.json").write_text(f"{kept}\n")


def short(row: Any) -> Any:
    """Two digits of every figure."""
    if isinstance(row, dict):
        return {name: short(one) for name, one in row.items()}
    return round(row, 2) if isinstance(row, float) else row


def flat(found: Rows) -> Rows:
    """Rows of parts under the names of both."""
    parts = [{f"{part} · {key}": row for key, row in rows.items()} if isinstance(rows, dict) else {part: rows}
             for part, rows in found.items()]  # fmt: skip
    return {key: row for part in parts for key, row in part.items()}
