"""What reaches a layer directly from another: the network is cut at those asked about, and what is between is differentiated."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import grad

from nissl.adapters._torch import kinds, values
from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.differentiating import Caught
from nissl.adapters._torch.hearing import Hearing
from nissl.adapters._torch.secants.lockstep import in_step, taken_apart
from nissl.adapters._torch.sensing import tell
from nissl.core.capabilities import Array
from nissl.errors import BadValue, NotHeard

Run = Callable[[Any], Any]
Edges = dict[tuple[str, str], Array]


def early(place: Place) -> Place:
    """The same layer as it computes, before any norm or nonlinearity."""
    return replace(place, at=place.module, at_call=place.call, waits=False, follower=None)


class _Cut:
    """Holds a layer's value as a leaf, so that nothing before it is seen, and hands a copy on."""

    def __init__(self) -> None:
        self.leaf: Tensor | None = None
        self.handed: Tensor | None = None

    def __call__(self, place: Place, value: Tensor) -> Tensor:
        self.leaf = value.detach().requires_grad_()
        self.handed = self.leaf.clone()
        return self.handed


class _Given:
    """Notes what a module is given."""

    def __init__(self) -> None:
        self.value: Tensor | None = None

    def __call__(self, place: Place, value: Tensor) -> Tensor:
        self.value = value
        return value


@dataclass
class Pieces:
    """A pass through the network in pieces."""

    cuts: dict[str, _Cut] = field(default_factory=dict)
    made: dict[str, Caught] = field(default_factory=dict)
    """What targets computed."""
    given: dict[str, _Given] = field(default_factory=dict)


def pieces(hearing: Hearing, run: Run, x: Any, targets: Mapping[str, Place], asked: set[str]) -> Pieces:
    done = Pieces()
    with ExitStack() as stack:
        for name, place in targets.items():
            done.made[name] = Caught()
            stack.callback(hearing.add(early(place), done.made[name]))
        for place in hearing.atlas.places:
            if place.known and place.name in asked:
                done.cuts[place.name] = _Cut()
                stack.callback(hearing.add(place, done.cuts[place.name]))
        for name, place in targets.items():
            if not place.enters:  # after the cut of heads, which are heard at the same point
                done.given[name] = _Given()
                stack.callback(hearing.add(replace(early(place), enters=True), done.given[name]))
        run(values.differentiable(x))
    return done


def edges(
    hearing: Hearing, run: Run, x: Any, other: Any, slopes: Mapping[str, Tensor], named: Mapping[str, Place],
    pairs: Sequence[tuple[str, str]], baseline: Mapping[str, Array] | None,
) -> Edges:  # fmt: skip
    """`slopes`: the score's at what each target computes. `other`: None where baselines say what values deviate from."""
    targets = {target: named[target] for _, target in pairs}
    asked = {name for pair in pairs for name in pair}
    first, second = (partial(pieces, hearing, run, given, targets, asked) for given in (other, x))
    found: Edges = {}
    with torch.enable_grad(), taken_apart(hearing.atlas.root):
        here, there, mode = (second(), None, None) if other is None else in_step(first, second, often=True)
        moved = {source: _moved(named[source], here, there, baseline) for source, _ in pairs}
        for target in targets:
            some = {source: (named[source], moved[source]) for source, to in pairs if to == target}
            way = _Way(named[target], here, target, slopes[target])
            found |= {(source, target): values.to_numpy(part) for source, part in way.into(some).items()}
    if mode is not None and mode.incomplete:
        tell(mode)
    return {(source, target): found[source, target] for source, target in pairs}


def _moved(place: Place, here: Pieces, there: Pieces | None, baseline: Mapping[str, Array] | None) -> Tensor:
    """By how much a source's value deviates, as the layer shows it."""
    cut = here.cuts[place.name]
    if cut.leaf is None:
        raise NotHeard(f"{place.name} did not run on this input, so that nothing leads from it.")
    value = place.shown(cut.leaf.detach())
    if there is not None:
        return value - place.shown(there.cuts[place.name].leaf.detach())  # type: ignore[union-attr]
    if baseline is None or place.name not in baseline:
        raise BadValue(
            f"From what does {place.name} deviate? Give `other` inputs, or a baseline for each source layer."
        )
    last = value.movedim(place.layer.unit_axis, -1)
    rest = torch.as_tensor(np.asarray(baseline[place.name])).to(last.device, last.dtype)
    try:
        rest = rest.expand(last.shape)
    except RuntimeError as error:
        raise BadValue(
            f"The baseline of {place.name} has the shape {tuple(rest.shape)}, which does not broadcast to its values' "
            f"{tuple(last.shape)}, the unit axis last."
        ) from error
    return (last - rest).movedim(-1, place.layer.unit_axis)


class _Way:
    """From sources to one target, unit by unit of the target."""

    def __init__(self, place: Place, here: Pieces, name: str, slope: Tensor):
        made = here.made[name].value
        if made is None:
            raise NotHeard(f"{name} did not run on this input, so that nothing leads to it.")
        self._place, self._here, self._made = place, here, made
        self._slope = slope.to(made.dtype)
        given = here.given.get(name)
        self._given = None if given is None else given.value

    def into(self, sources: dict[str, tuple[Place, Tensor]]) -> dict[str, Tensor]:
        """By source: (example, source unit, target unit)."""
        found: dict[str, list[Tensor]] = {name: [] for name in sources}
        straight = self._straight(sources)
        if straight is not None:
            return straight
        leaves = [self._here.cuts[name].leaf for name in sources]
        for start, cotangent in self._cotangents():
            if not start.requires_grad:
                slopes: Sequence[Tensor] = [torch.zeros_like(leaf) for leaf in leaves]  # type: ignore[arg-type]
            else:
                slopes = torch.autograd.grad(
                    start, leaves, cotangent, retain_graph=True, allow_unused=True, materialize_grads=True  # type: ignore[arg-type]
                )  # fmt: skip
            for (name, (place, moved)), slope in zip(sources.items(), slopes, strict=True):
                found[name].append(_by_unit(place, moved * place.shown(slope)))
        return {name: torch.stack(parts, -1) for name, parts in found.items()}

    def _straight(self, sources: dict[str, tuple[Place, Tensor]]) -> dict[str, Tensor] | None:
        """A dense layer that is given one layer's very values: a product of three."""
        weight = _dense(self._place.module)
        origin = next((n for n, cut in self._here.cuts.items() if cut.handed is self._given), None)
        if weight is None or self._given is None or origin is None or self._place.layer.batch_axis != 0:
            return None
        if set(sources) != {origin}:
            return None
        place, moved = sources[origin]
        if place.enters or place.layer.unit_axis % moved.dim() != moved.dim() - 1 or place.layer.batch_axis != 0:
            return None
        rows, slopes = (t.reshape(len(t), -1, t.shape[-1]) for t in (moved, self._slope))
        return {origin: torch.einsum("bpu,bpv->buv", rows, slopes) * weight.detach().mT}

    def _cotangents(self) -> Any:
        """For every unit: a tensor, and the slope of what the unit adds to the score with respect to it."""
        place, module = self._place, self._place.module
        shown = place.shown(self._made)
        axis = place.layer.unit_axis % shown.dim()
        weight = _dense(module)
        for unit in range(shown.shape[axis]):
            part = self._slope.narrow(axis, unit, 1)
            if weight is not None and self._given is not None:
                yield self._given, part * weight[unit].detach()
            elif self._given is not None and _plain_conv(module):
                yield self._given, _conv_input(module, self._given, part, unit)
            else:
                alone = torch.zeros_like(shown)
                alone.narrow(axis, unit, 1).copy_(part)
                yield self._made, place.restored(alone)


def _by_unit(place: Place, part: Tensor) -> Tensor:
    part = part.movedim((place.layer.batch_axis, place.layer.unit_axis % part.dim()), (0, 1))
    return part.flatten(2).sum(2) if part.dim() > 2 else part


def _dense(module: nn.Module) -> Tensor | None:
    """Its weight, unit first."""
    if type(module) is nn.Linear:
        return module.weight
    return module.weight.mT if kinds.is_conv1d(module) else None  # type: ignore[return-value]


def _plain_conv(module: nn.Module) -> bool:
    if not isinstance(module, nn.modules.conv._ConvNd) or type(module) not in kinds.CONV[:3]:
        return False
    return module.groups == 1 and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def _conv_input(module: Any, given: Tensor, part: Tensor, unit: int) -> Tensor:
    back: Any = {3: grad.conv1d_input, 4: grad.conv2d_input, 5: grad.conv3d_input}[given.dim()]
    weight = module.weight[unit : unit + 1].detach()
    found: Tensor = back(given.shape, weight, part, module.stride, module.padding, module.dilation)
    return found
