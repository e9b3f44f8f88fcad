"""A new model that does by its weights what changes do by hooks."""

from typing import Any

from torch import nn

from nissl.adapters._torch.rewriting import rows
from nissl.adapters._torch.rewriting.columns import carried
from nissl.adapters._torch.rewriting.cut import Cut
from nissl.adapters._torch.rewriting.draft import Draft, Open, copied
from nissl.adapters._torch.rewriting.judge import FAILURES, Judge, said
from nissl.adapters._torch.rewriting.order import Fixed, Order, Turned, orders
from nissl.adapters._torch.rewriting.shrink import shrunk
from nissl.core.capabilities import Rewritten
from nissl.core.network import batches, examples
from nissl.errors import BadValue, Unsupported

FEW = 8
"""Examples by which constants are told; all of them are checked."""


def rewritten(model: nn.Module, opened: Open, fixed: Fixed, turned: Turned, *, shrink: bool, x: Any) -> Rewritten:
    """`opened` makes a network of a model; the given one is copied at once and never run."""
    if examples(x) < 2:
        raise BadValue(
            "What is constant shows by how it stays the same: give at least two examples (x) to check a rewriting on."
        )
    network = opened(copied(model))
    few = next(iter(batches(x, FEW)))
    network.probe(few)  # shows where layers are heard, and later calls
    for name in (*fixed, *turned):
        network.layer(name)
    places = network._atlas.places
    asked = orders({place.name: place for place in places}, fixed, turned)
    calls = [(place.module, place.enters) for place in places]
    judge = Judge(network, asked, opened, x)
    draft = _held(network, opened, asked, calls, judge, few)
    gone = [order for order in asked if order.fixed]
    if not shrink:
        held = {order.name: "nothing was to be removed (shrink=False)" for order in gone}
        return Rewritten(draft.root, {}, held, (_size(model), _size(draft.root)))
    try:
        smaller, cut, why = shrunk(draft, gone, calls, judge, few)
    except FAILURES as error:
        reason = f"where its values go can't be seen, since the model stops at NaN ({said(error)})"
        smaller, cut, why = draft.root, Cut(), {order.name: [reason] for order in gone}
    removed = {name: tuple(sorted(units)) for name, units in cut.layers.items()}
    left = [order.name for order in gone if len(removed.get(order.name, ())) < len(order.units)]
    held = {name: "; ".join(dict.fromkeys(why[name])) for name in left}
    return Rewritten(smaller, removed, held, (_size(model), _size(smaller)))


def _held(
    network: Any, opened: Open, asked: list[Order], calls: rows.Calls, judge: Judge, x: Any
) -> Draft:  # fmt: skip
    """The changes made and nothing removed: in the layers' own rows where that can be, or else in those that take their values."""
    faults: list[str] = []
    for by_rows in (True, False):
        draft = Draft(network._atlas.root, opened)
        left = []
        for order in asked:
            if by_rows and rows.often(order, calls) is None:
                order = order.part(~rows.written(order, draft))
            left += [order] if len(order.units) else []
        for order in left:
            carried(order, network, asked, draft, x)
        fault = judge.fault(draft.root)
        if fault is None:
            return draft
        faults.append(fault)
    raise Unsupported(
        f"This can't be made part of the weights exactly: {faults[0]} by the layers' own weights, and {faults[-1]} by those "
        "that take their values. Use the changes as hooks."
    )


def _size(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
