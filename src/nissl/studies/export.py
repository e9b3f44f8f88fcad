"""`export`: a trace as a file for other programs, written epoch by epoch so that it need not fit into memory."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue, MissingDependency, NotHeard, listing

FORMATS = ("parquet", "csv", "zarr")
TABLES = ("neurons", "epochs", "connections")


def export(path: str | Path, to: str, out: str | Path | None = None, *, table: str = "neurons") -> Path:
    """Write the trace at `path` as parquet or csv (one table), or zarr (everything).

    table: "neurons" has rows (epoch, layer, neuron) and a column for each statistic, "epochs" loss, accuracy and what
    else is one number an epoch, "connections" every weight (large). Gives back where it is; overwrites nothing.
    """
    if to not in FORMATS:
        raise BadValue(f"to={to!r}: {listing(FORMATS)}.")
    if table not in TABLES:
        raise BadValue(f"table={table!r}: {listing(TABLES)}.")
    if to == "zarr" and table != "neurons":
        raise BadValue("zarr holds everything, not one table: leave `table` out.")
    trace = opened(path)
    path = Path(str(path).rpartition("://")[2].rstrip("/").rpartition("/")[2]) if "://" in str(path) else Path(path)
    path = path.resolve()  # what is recorded elsewhere is exported to where we are
    if not trace.epochs:
        raise NotHeard(f"The trace at {path} holds no epoch yet: there is nothing to export.")
    name = f"{path.name}.{to}" if table == "neurons" else f"{path.name}.{table}.{to}"
    target = Path(out) if out is not None else path.parent / name
    if target.exists():
        raise BadValue(f"There is something at {target} already: name another place with out.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        if to == "zarr":
            _zarr(trace, part)
        else:
            (_csv if to == "csv" else _parquet)(trace, table, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True) if part.is_file() else shutil.rmtree(part, ignore_errors=True)
    return target


def _tables(trace: Trace, table: str, engine: str) -> Iterator[Any]:
    """The table in pieces of one epoch each, all with the same columns."""
    stats = list(dict.fromkeys(c.name for s in trace.store.specs.values() if s.name == "stats" for c in s.columns))
    for epoch in trace.epochs:
        piece = trace[epoch:epoch]
        if table == "neurons":
            yield piece.to_dataframe(stats=stats, engine=engine)
        elif table == "connections":
            yield piece.connections(engine=engine)


def _numbers(trace: Trace) -> dict[str, list[Any]]:
    return {"epoch": trace.epochs} | {name: found.values.tolist() for name, found in trace.scalars.items()}


def _parquet(trace: Trace, table: str, target: Path) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependency("parquet needs pyarrow: pip install pyarrow") from error
    if table == "epochs":
        return parquet.write_table(pyarrow.table(_numbers(trace)), target)
    writer = None
    try:
        for piece in _tables(trace, table, "arrow"):
            writer = writer or parquet.ParquetWriter(target, piece.schema)
            writer.write_table(piece)
    finally:
        if writer is not None:
            writer.close()
    return None


def _csv(trace: Trace, table: str, target: Path) -> None:
    try:
        import pandas
    except ImportError as error:
        raise MissingDependency("csv needs pandas: pip install 'nissl[analysis]'") from error
    if table == "epochs":
        pandas.DataFrame(_numbers(trace)).to_csv(target, index=False)
        return
    for number, piece in enumerate(_tables(trace, table, "pandas")):
        flat = piece.reset_index() if table == "neurons" else piece
        flat.to_csv(target, mode="w" if not number else "a", header=not number, index=False)


def _zarr(trace: Trace, target: Path) -> None:
    """A closed trace is Zarr already; what only nissl reads stays behind."""
    if not trace.closed:
        raise BadValue(
            "This trace is still being recorded, or its writer died: it is whole Zarr once the recording is closed (one that "
            "died must be resumed first). parquet and csv can be had now."
        )
    for name in trace.store.files():
        if not name.startswith("_") and name != "index.json":
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(trace.store.file(name))
