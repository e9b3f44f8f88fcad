"""A report to be read: tables for a terminal or a notebook, the same as plain text elsewhere."""

import math
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from nissl.core.ground import Cut

if TYPE_CHECKING:
    from nissl.core.report import Report

WIDTH = 110


def text(report: "Report") -> str:
    """Without colours or codes, also where an environment asks every program for them."""
    out = Console(
        file=StringIO(), width=WIDTH, force_terminal=False, force_jupyter=False, no_color=True, highlight=False
    )
    out.print(read(report))
    written = out.file
    assert isinstance(written, StringIO)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def read(report: "Report") -> Group:
    """What rich shows."""
    return Group(escape(_head(report)), _cuts(report), _alone(report), *map(escape, _lines(report)))


def _head(of: "Report") -> str:
    words = ", ".join(of.verdict) or "none of the words holds"
    where = "held-out" if of.held_out else "its own"
    return (
        f"{of.target}: {words}\n{of.units} of {of.total} units; {of.examples} of {of.available} {where} examples, {of.asked} of "
        "them for the target"
    )


def _cuts(of: "Report") -> Table:
    """What each deletion left."""
    rows: list[tuple[str, Cut, str]] = [
        ("nothing", of.intact, ""), ("the structure", of.deleted, f"{of.random.p_lost:.3f}"),
        (f"random, mean of {of.random.draws}", of.random.mean, ""),
        *((f"the structure, {'by' if way == 'resample' else 'to'} {way}", cut, "") for way, cut in of.ways.items()),
        *((f"as many by {rival.name}", rival.deleted, "") for rival in of.naive),
        *((sham.name, sham.deleted, f"{sham.p_lost:.3f}") for sham in of.shams),
    ]  # fmt: skip
    if of.discovery is not None:
        rows += [("nothing (where it was found)", of.discovery[0], ""), ("the structure (there)", of.discovery[1], "")]
    if _known(of.intact.accuracy):
        columns = ("deleted", "target", of.aim, "work lost", "others", "worst of them", "p")
        cells = [
            (name, _number(cut.accuracy), _number(cut.aim), _number(cut.lost), _number(cut.others), _worst(cut), p)
            for name, cut, p in rows
        ]
        return _table(columns, cells, left=(0, 5))
    return _table(
        ("deleted", of.aim, "work lost", "p"), [(n, _number(cut.aim), _number(cut.lost), p) for n, cut, p in rows]
    )


def _alone(of: "Report") -> Table:
    """What is done by units alone; a column a method, since their names are long and sizes many."""
    curves = (of.curve, *of.naive)
    cells = [
        (f"by {100 * count / of.total:.3g} %", *(f"{curve.faithful[place]:.2f}" for curve in curves))
        for place, count in enumerate(of.curve.units[1:-1], 1)
    ]
    cells += [("CPR", *(f"{curve.cpr:.2f}" for curve in curves)), ("CMD", *(f"{curve.cmd:.2f}" for curve in curves))]
    return _table(("work alone", "the structure", *(rival.name for rival in of.naive)), cells)


def _lines(of: "Report") -> Iterable[str]:
    for finding in of.findings:
        yield f"{'' if finding.holds else 'not '}{finding.word}: {finding.why}"
    whole, least, next_ = of.completeness, of.minimality, of.second
    yield (
        f"incompleteness {whole.mean:.2f} of the work (at most {whole.largest:.2f}) over {whole.subsets} random halves; "
        f"needed in it: {100 * least.needed:.0f} % of members, {least.tried} of {least.members} tried"
    )
    yield f"the next {next_.units} units alone do {next_.alone:.2f} of the work; with both deleted {next_.lost:.2f} is gone"
    if _known(of.gap):
        yield f"gap: the deletion took {of.gap:+.3f} more where the structure was found"
    if _known(of.separation):
        yield f"separation, at the best of all sizes: {of.separation:.3f}"
    yield from (f"note: {note}" for note in of.notes)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[int] = (0,)) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        made.add_column(escape(column), justify="left" if place in left else "right", overflow="fold")
    for row in rows:
        made.add_row(*map(escape, row))
    return made


def _number(value: float) -> str:
    return f"{value:.3f}" if _known(value) else "-"


def _worst(cut: Cut) -> str:
    return f"{cut.worst} {-cut.worst_lost:+.3f}" if cut.worst_lost > 0 else "-"


def _known(value: float) -> bool:
    return not math.isnan(value)
