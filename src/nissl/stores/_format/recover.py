"""What a run needs before it can be written again, whether it was closed, killed, or torn."""

from nissl.stores._format.index import Index
from nissl.stores._format.place import Place
from nissl.stores._format.plain import write_root
from nissl.stores._format.reader import Reader
from nissl.stores._format.row import Row
from nissl.stores._format.seal import unseal


def recover(place: Place) -> tuple[Index, tuple[Row, ...]]:
    """Bring a run into the state in which it is written: the index, and the commits that are not sealed.

    May be killed anywhere and started again.
    """
    reader = Reader(place)
    index, header = reader.index, reader.header
    place.prepare()
    _sweep(place, index)
    if index.closed or len(index.rows) % index.block:
        index = unseal(place, index, len(index.rows) // index.block * index.block)
        index = index.next(closed=False)
        index.write(place)
    write_root(place, {name: value for name, value in header.items() if name != "closed"})
    place.remove(place.sealing)
    return index, Reader(place).view().hot


def _sweep(place: Place, index: Index) -> None:
    """Remove what an interrupted writer left: what was sealed or never committed, and which ranks had closed."""
    place.remove_folder(place.ranks)
    committed = place.committed()
    place.remove(*(place.commit(epoch) for epoch in committed if epoch <= index.last))
    stale = [who for who in place.segments() if who[0] <= index.last or who[0] not in committed]
    place.remove(*(place.segment(*who) for who in stale))
