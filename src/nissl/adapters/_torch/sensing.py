"""One pass forth and back: what layers say, and how a score made of the outputs depends on it."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nissl.adapters._torch import values
from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.differentiating import through
from nissl.adapters._torch.hearing import Hearing
from nissl.adapters._torch.secants.lockstep import Lockstep, in_step, own_functions, taken_apart
from nissl.core.capabilities import Array, Passage
from nissl.errors import BadValue, NisslWarning, listing


def sensed(
    hearing: Hearing, run: Callable[[Any], Any], x: Any, slopes: Callable[[Array], Array], named: dict[str, Place | None],
    mode: AbstractContextManager[Any],
) -> Passage:  # fmt: skip
    """By gradients; `mode` is open while the pass is on its way."""
    with torch.enable_grad():
        with mode:
            done = through(hearing, run, x, list(named.values()))
        outputs = values.to_numpy(done.output)
        found = done.slopes(done.result(), cotangent(done.result(), slopes(outputs)))
    return Passage(outputs.copy(), _by_name(named, done.values()), _by_name(named, found))


def cotangent(output: Tensor, slopes: Any) -> Tensor:
    """What the user made of the outputs, as a tensor beside them."""
    found = slopes.detach() if isinstance(slopes, Tensor) else torch.tensor(np.asarray(slopes))
    if found.shape != output.shape:
        raise BadValue(
            f"slopes returned an array of the shape {tuple(found.shape)}; the outputs have {tuple(output.shape)}, and each of "
            "them wants one slope."
        )
    return found.to(output.device, output.dtype)


def between(
    hearing: Hearing, run: Callable[[Any], Any], inputs: tuple[Any, Any], slopes: Callable[[Array, Array], Array],
    named: dict[str, Place | None],
) -> Passage:  # fmt: skip
    """By secants between the first input and the second."""
    x, other = inputs
    comparable(x, other)
    with torch.enable_grad(), taken_apart(hearing.atlas.root):
        places = list(named.values())
        here, there, mode = in_step(
            lambda: through(hearing, run, other, places), lambda: through(hearing, run, x, places)
        )
        mode.incomplete |= own_functions([here.result()])
        others, outputs = there.values(), [values.to_numpy(one.output).copy() for one in (here, there)]
        del there
        found = here.slopes(here.result(), cotangent(here.result(), slopes(*outputs)))
    if mode.incomplete:
        tell(mode)
    return Passage(outputs[0], _by_name(named, here.values()), _by_name(named, found), _by_name(named, others))


def comparable(x: Any, other: Any) -> None:
    """Refuse two inputs that can't be compared example by example."""
    shapes = [[tuple(t.shape) for t in values.each(one)] for one in (x, other)]
    if shapes[0] != shapes[1]:
        raise BadValue(
            f"The two inputs are compared example by example, but their shapes are {shapes[0]} and {shapes[1]}."
        )


def tell(mode: Lockstep) -> None:
    what = listing(sorted(mode.incomplete))
    warnings.warn(
        f"nissl: no secants are known of {what}: there the slopes are tangents, and sums over layers before are not complete",
        NisslWarning,
        stacklevel=4,
    )


def _by_name(named: dict[str, Place | None], found: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(named, found, strict=True))
