"""Attention heads taken out: their rows of the queries, keys and values, and what the projection takes of them."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from nissl.adapters._torch import kinds
from nissl.adapters._torch.rewriting.cut import Cut
from nissl.adapters._torch.rewriting.draft import Draft
from nissl.adapters._torch.rewriting.order import Order
from nissl.adapters._torch.rewriting.reach import stained

_LAYOUTS = ("by part", "by head")
"""What one module makes of all heads: all queries before all keys, or each head's own side by side."""
_SIZES = ("all_head_size", "split_size")
"""Names under which blocks keep the heads' width together."""


def without_heads(order: Order, draft: Draft, x: Any, why: list[str]) -> Cut | None:
    """What leaves with these heads, found by guessing at the layout and looking; `why` not, else."""
    projection = draft.of(order.place.module)
    block = next((m for m, path in draft.paths.items() if path == order.name), draft.root)
    heads, width = order.place.layer.units or 1, kinds.width_in(projection) or 0
    gone = order.units.tolist()
    if len(gone) == heads:
        why.append("a block keeps one head at least")
        gone = gone[1:]
    counts = _counts(block, heads, heads - len(gone))
    feeders = [m for m in block.modules() if kinds.role(m) == kinds.COMPUTES and m is not projection]
    size = width // heads
    if not gone or counts is None or not feeders or projection in draft.bound:
        why.append("how its block counts its heads is not known" if counts is None else "its weights are not its own")
        return None
    lost = {head * size + i for head in gone for i in range(size)}
    for layout in _LAYOUTS:
        rows = {m: _rows(m, gone, heads, size, layout) for m in feeders}
        rest = {m: _rows(m, [h for h in range(heads) if h not in gone], heads, size, layout) for m in feeders}
        if any(r is None for r in rows.values()) or draft.bound.keys() & rows.keys():
            break
        hit, missed = (_hit(draft, which, projection, x) for which in (rows, rest))
        if hit == lost and missed == set(range(width)) - lost:
            return Cut(
                {order.name: set(gone)},
                {m: set(r or ()) for m, r in rows.items()},
                {projection: lost},
                {},
                {block: counts},
            )
    why.append("which weights are the heads' own can't be told")
    return None


def _counts(block: nn.Module, heads: int, left: int) -> dict[str, int] | None:
    """The attributes of the block that count heads, and what they become."""
    names = [name for name in kinds.HEADS if getattr(block, name, None) == heads]
    if not names:
        return None
    sizes = {name: getattr(block, name) for name in _SIZES if isinstance(getattr(block, name, None), int)}
    return dict.fromkeys(names, left) | {name: size * left // heads for name, size in sizes.items()}


def _rows(module: nn.Module, chosen: Sequence[int], heads: int, size: int, layout: str) -> list[int] | None:
    units = kinds.kind(module).units or 0
    parts, over = divmod(units, heads * size)
    if over or not parts or not (isinstance(module, nn.Linear) or kinds.is_conv1d(module)):
        return None
    if layout == "by head":
        return [head * parts * size + i for head in chosen for i in range(parts * size)]
    return [(part * heads + head) * size + i for part in range(parts) for head in chosen for i in range(size)]


def _hit(draft: Draft, rows: Any, projection: nn.Module, x: Any) -> set[int] | None:
    """Which of the projection's columns these rows reach; None if they reach anything else."""
    columns, spoilt = stained(draft, rows, x)
    if spoilt or set(columns) - {projection}:
        return None
    return set(columns[projection].nonzero().flatten().tolist()) if projection in columns else set()
