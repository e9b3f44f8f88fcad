"""Where values go: units are made NaN, and what each module takes shows where the stain comes out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nissl.adapters._torch import kinds
from nissl.adapters._torch.rewriting.takers import column_axis
from nissl.adapters._torch.values import each, first, replaced
from nissl.core.network import batches

Columns = dict[nn.Module, Tensor]
"""Which columns of what a module takes, as bools."""


def takers(root: nn.Module) -> list[nn.Module]:
    """Modules with weights for what they take."""
    return [
        module
        for module in root.modules()
        if kinds.role(module) in (kinds.COMPUTES, kinds.NORMALISES) or (kinds.is_leaf(module) and _weighs(module))
    ]


def _weighs(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None or "norm" in type(module).__name__.lower()


@contextmanager
def _hooked(handles: Sequence[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _looked(modules: Iterable[nn.Module], look: Callable[[nn.Module, Any, Any], Any]) -> AbstractContextManager[None]:
    return _hooked([module.register_forward_pre_hook(look, with_kwargs=True) for module in modules])


@contextmanager
def stained(root: nn.Module) -> Iterator[Columns]:
    """Collects the stained columns; a module that computes is shown its values without the stain, so that it ends there."""
    found: Columns = {}

    def look(module: nn.Module, args: Any, kwargs: Any) -> Any:
        for value in each((args, kwargs)):
            if not value.dtype.is_floating_point or value.dim() == 0:
                continue
            nan = value.isnan()
            if nan.any():
                columns = _by_column(module, nan).any(0).cpu()
                before = found.get(module)
                found[module] = columns if before is None or len(before) != len(columns) else before | columns
                if kinds.role(module) == kinds.COMPUTES:
                    args = replaced(args, value, value.masked_fill(nan, 0.0))
                    kwargs = replaced(kwargs, value, value.masked_fill(nan, 0.0))
        return args, kwargs

    with _looked(takers(root), look):
        yield found


@contextmanager
def stain(rows: Mapping[nn.Module, Sequence[int]]) -> Iterator[None]:
    """These modules put out NaN for these units."""

    def put(module: nn.Module, _: Any, output: Any) -> Any:
        value = first(output)
        if value is None or not value.dtype.is_floating_point:
            return output
        units = torch.as_tensor(list(rows[module]), dtype=torch.int64, device=value.device)
        return replaced(output, value, value.index_fill(_unit_axis(module, value), units, float("nan")))

    with _put(rows, put):
        yield


@contextmanager
def flood(makers: Sequence[nn.Module], clean: Mapping[nn.Module, Sequence[int]]) -> Iterator[None]:
    """These modules put out nothing but NaN, save for these units."""

    def put(module: nn.Module, _: Any, output: Any) -> Any:
        kept = first(output) if module in clean else None
        for value in each(output):
            if not value.dtype.is_floating_point:
                continue
            nan = torch.full_like(value, float("nan"))
            if value is kept:
                units = torch.as_tensor(list(clean[module]), dtype=torch.int64, device=value.device)
                axis = _unit_axis(module, value)
                nan = nan.index_copy(axis, units, value.index_select(axis, units))
            output = replaced(output, value, nan)
        return output

    with _put(makers, put):
        yield


def _unit_axis(module: nn.Module, value: Tensor) -> int:
    return value.dim() - 1 - len(module.kernel_size) if isinstance(module, kinds.CONV) else value.dim() - 1


def _put(modules: Iterable[nn.Module], put: Callable[[nn.Module, Any, Any], Any]) -> AbstractContextManager[None]:
    return _hooked([module.register_forward_hook(put) for module in modules])


@contextmanager
def taken(columns: Mapping[nn.Module, Tensor]) -> Iterator[dict[nn.Module, Tensor]]:
    """What these modules take in these columns, (values, column), all calls one after the other."""
    found: dict[nn.Module, Tensor] = {}

    def look(module: nn.Module, args: Any, kwargs: Any) -> None:
        value = first((args, kwargs))
        if value is not None:
            rows = _by_column(module, value)[:, columns[module].to(value.device)].cpu()
            found[module] = torch.cat([found[module], rows]) if module in found else rows

    with _looked(columns, look):
        yield found


@contextmanager
def ranges(modules: Iterable[nn.Module]) -> Iterator[dict[nn.Module, tuple[Tensor, Tensor]]]:
    """The lowest and the highest of what these modules take in each column."""
    found: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def look(module: nn.Module, args: Any, kwargs: Any) -> None:
        value = first((args, kwargs))
        if value is not None:
            rows = _by_column(module, value)
            low, high = rows.amin(0).cpu(), rows.amax(0).cpu()
            before = found.get(module, (low, high))
            found[module] = torch.minimum(low, before[0]), torch.maximum(high, before[1])

    with _looked(modules, look):
        yield found


def _by_column(module: nn.Module, value: Tensor) -> Tensor:
    return value.detach().movedim(column_axis(module, value), -1).flatten(0, -2)


def pair(x: Any) -> Any:
    """Two examples: a stain shows in any, and one alone may lose its axis."""
    return next(iter(batches(x, 2)))


def spoilt(output: Any) -> bool:
    """Did a stain reach what the model returns?"""
    return any(bool(value.isnan().any()) for value in each(output) if value.dtype.is_floating_point)
