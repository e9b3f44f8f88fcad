"""What a run needs before it can be written again, whether it was closed, killed, or torn."""

import os
import shutil
from pathlib import Path

from nissl.errors import DamagedTrace
from nissl.stores._disk.index import Index
from nissl.stores._disk.place import Place
from nissl.stores._disk.plain import write_root
from nissl.stores._disk.reader import Reader
from nissl.stores._disk.row import Row
from nissl.stores._disk.seal import unseal


def recover(place: Place) -> tuple[Index, tuple[Row, ...]]:
    """Bring a run into the state in which it is written: the index, and the commits that are not sealed.

    May be killed anywhere and started again.
    """
    reader = Reader(place)
    index, header = reader.index, reader.header
    refuse_links(place.root)
    for folder in (place.hot, place.commits):
        place.folder(folder)
    _sweep(place, index)
    if index.closed or len(index.rows) % index.block:
        index = unseal(place, index, len(index.rows) // index.block * index.block)
        index = index.next(closed=False)
        index.write(place)
    write_root(place, {name: value for name, value in header.items() if name != "closed"})
    place.sealing.unlink(missing_ok=True)
    return index, Reader(place).view().hot


def _sweep(place: Place, index: Index) -> None:
    """Remove what an interrupted writer left: half-written files, and what was sealed or never committed."""
    shutil.rmtree(place.ranks, ignore_errors=True)
    for file in place.hot.glob("*.tmp"):
        file.unlink()
    committed = place.committed()
    for epoch in committed:
        if epoch <= index.last:
            place.commit(epoch).unlink()
    for epoch, rank in place.segments():
        if epoch <= index.last or epoch not in committed:
            place.segment(epoch, rank).unlink()


def refuse_links(root: Path) -> None:
    """Whoever made this run may have laid links that lead out of it; nothing is written through them."""
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                raise DamagedTrace(
                    f"{path} is a link; a trace that is to be written may hold none. Replace it by what it is."
                )
