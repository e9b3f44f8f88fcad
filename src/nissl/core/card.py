"""A trace in one line, and as a small HTML card for notebooks."""

from html import escape
from typing import TYPE_CHECKING

from nissl.core.ranks import lacks

if TYPE_CHECKING:
    from nissl.core.trace import Trace

SHOWN = 30


def line(trace: "Trace", *, whole: bool) -> str:
    """In one line."""
    header, epochs = trace.header, trace.epochs
    nothing = "no epoch yet" if whole else "none of them"
    span = f"E_{epochs[0]} to E_{epochs[-1]}" if epochs else nothing
    state = "closed" if trace.closed else "open"
    missing = f"; {lacks(trace.missing)}" if trace.missing else ""
    return (
        f"<Trace of {header.get('model', '?')} ({header.get('framework', '?')}): {len(epochs)} epochs, {span}; "
        f"{len(trace.layers)} layers; {state}{missing}>"
    )


def html(trace: "Trace") -> str:
    """What was recorded, layer by layer, and how the run went."""
    header, entries = trace.header, trace.entries
    rows = []
    for name in trace.layers[:SHOWN]:
        place = trace.place(name)
        facts = (f"L_{name}", place.kind, f"{trace.units(name):,} {place.unit}s", ", ".join(trace.names(name)))
        rows.append(
            "<tr>" + "".join(f"<td style='text-align:left'>{escape(str(fact))}</td>" for fact in facts) + "</tr>"
        )
    more = len(trace.layers) - SHOWN
    if more > 0:
        rows.append(f"<tr><td colspan=4>{SHOWN} of {len(trace.layers)} layers shown</td></tr>")
    last = ", ".join(f"{k} {v:.4g}" for k, v in entries[-1].scalars.items()) if entries else "no epoch yet"
    span = f"E_{entries[0].epoch} to E_{entries[-1].epoch}" if entries else ""
    title = f"{header.get('model', 'network')} ({header.get('framework', '?')}): {len(entries)} epochs {span}"
    head = "".join(f"<th style='text-align:left'>{h}</th>" for h in ("layer", "kind", "units", "recorded"))
    return (
        f"<div><b>{escape(title)}</b><br>{escape(last)}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
