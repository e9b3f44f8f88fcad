"""What is called on a pass and what is given to what: modules by hooks, functions between them by what torch itself tells of them.

Tensors are known by their identity: each is held until the pass has ended, so that no other can take its place.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from nissl.adapters._torch import kinds
from nissl.adapters._torch.values import detached, each, first, replaced
from nissl.core.draft import Draft
from nissl.core.graph import Graph
from nissl.errors import BadValue, NisslWarning, NotHeard, listing

_ARITHMETIC = (
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
)
_NAMES = {f"{how}{name}": name for name in _ARITHMETIC for how in "ir"} | {
    "truediv": "div",
    "itruediv": "div",
    "rtruediv": "div",
}
"""Python's names of operators in place and from the right, by what they do."""


class _Functions(TorchFunctionMode):
    """Told of every function of torch's that the model's own code calls."""

    def __init__(self, chart: "Chart"):
        super().__init__()
        self._chart = chart

    def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._chart.through(_named(function), function, args, kwargs or {})


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Told of what is left: operators that code in C++ or a `torch.autograd.Function` calls."""

    def __init__(self, chart: "Chart"):
        super().__init__()  # type: ignore[no-untyped-call]
        self._chart = chart

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(function.overloadpacket.__name__) if hasattr(function, "overloadpacket") else _named(function)
        return self._chart.through(name.rstrip("_"), function, args, kwargs or {})


class Chart:
    """One pass, written down."""

    def __init__(self, root: nn.Module):
        self.draft = Draft()
        self._root = root
        self._paths = {module: path for path, module in root.named_modules()}
        self._parameters = {id(p): p.numel() for p in root.parameters()}
        self._made: dict[int, int] = {}
        """Which node made a tensor, by its identity."""
        self._held: list[Tensor] = []
        self._deep = 0
        """Inside how many leaves and functions we are, whose own doings are not told."""
        self._given: list[tuple[list[tuple[Tensor, int]], list[int]]] = []

    # tensors

    def _sources(self, value: Any) -> list[int]:
        return [self._made[id(t)] for t in each(value) if id(t) in self._made]

    def _own(self, value: Any, node: int) -> None:
        for tensor in each(value):
            self._held.append(tensor)
            self._made[id(tensor)] = node

    def _overwritten(self, tensors: Iterable[Tensor], node: int) -> None:
        """Written to, perhaps through a view of it."""
        for tensor in tensors:
            self._own([tensor] if tensor._base is None else [tensor, tensor._base], node)

    # what is called

    def through(self, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function, and note it if it made a tensor or changed one."""
        if self._deep or not self._given:  # inside a leaf, or outside the model
            return function(*args, **kwargs)
        before = [(t, _version(t)) for t in each((args, kwargs))]
        sources = self._sources((args, kwargs))
        self._deep += 1
        try:
            out = function(*args, **kwargs)
        finally:
            self._deep -= 1
        changed = [t for t, version in before if _version(t) != version]
        fresh = [t for t in each(out) if not any(t is old for old, _ in before)]
        if fresh or changed:
            params = {id(t): self._parameters[id(t)] for t, _ in before if id(t) in self._parameters}
            shape = tuple((fresh or changed)[0].shape)
            node = self.draft.function(name, shape, sum(params.values()), sources)
            self._own(fresh, node)
            self._overwritten(changed, node)
        return out

    def enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._deep += self._deep > 0
        if self._deep:
            return
        values = each((args, kwargs))
        self._given.append(([(t, _version(t)) for t in values], self._sources(values)))
        if self._leaf(module):
            self._deep = 1
        elif module is not self._root:
            self.draft.enter(self._path(module), type(module).__name__)

    def leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        self._deep -= self._deep > 0
        if self._deep:
            return None
        given, sources = self._given.pop()
        shape, params = _shape(output), sum(p.numel() for p in module.parameters())
        if self._leaf(module):
            node: int | None = self.draft.add(
                self._path(module), type(module).__name__, "module", shape, params, sources
            )
        elif module is self._root:
            return None
        else:
            node = self.draft.leave(shape, params, sources)
        if node is None:
            return None
        self._overwritten([t for t, version in given if _version(t) != version], node)
        output = self._apart(output, given)
        self._own(output, node)
        return output

    def _leaf(self, module: nn.Module) -> bool:
        """Is it one node? What torch calls a layer, and what has no modules inside, but for a model that is written in one."""
        if module is self._root and not type(module).__module__.startswith("torch.nn."):
            return False
        return isinstance(module, kinds.KNOWN) or kinds.is_leaf(module)

    def _path(self, module: nn.Module) -> str:
        return self.draft.named(self._paths.get(module, "") or type(module).__name__)

    def _apart(self, output: Any, given: list[tuple[Tensor, int]]) -> Any:
        """What a module hands on as it was given is told apart from what it was given, by a view."""
        for tensor, version in given:
            if _version(tensor) == version and any(t is tensor for t in each(output)):
                self._deep += 1
                output = replaced(output, tensor, tensor.view_as(tensor))
                self._deep -= 1
        return output

    # the pass

    @contextmanager
    def hooked(self) -> Iterator[None]:
        with ExitStack() as stack:
            for module in self._root.modules():
                handle = module.register_forward_pre_hook(self._enter, with_kwargs=True)
                stack.callback(handle.remove)
                stack.callback(module.register_forward_hook(self._leave, with_kwargs=True).remove)
            stack.enter_context(_Operators(self))
            stack.enter_context(_Functions(self))
            yield

    def _enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self.enter(module, args, kwargs)

    def _leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        return self.leave(module, args, kwargs, output)

    def takes(self, x: Any) -> None:
        """What the model is given."""
        for path, tensor in inputs(x):
            self._own(tensor, self.draft.add(path, "input", "input", tuple(tensor.shape)))

    def gives(self, output: Any) -> None:
        """What it returns."""
        found = list(named(output, "output"))
        if not found:
            raise NotHeard(f"The model returns {type(output).__name__}, in which there is no tensor to draw a way to.")
        own = {id(t) for t in (*self._root.parameters(), *self._root.buffers())}
        lost = [path for path, tensor in found if id(tensor) not in self._made and id(tensor) not in own]
        if lost:
            what = f"what leads to {listing(lost)} can't be followed: functions inside torch.func's transforms, or constants"
            warnings.warn(f"nissl: {what}", NisslWarning, stacklevel=2)
        for path, tensor in found:
            self.draft.add(path, "output", "output", tuple(tensor.shape), 0, self._sources(tensor))


def charted(root: nn.Module, run: Callable[[Any], Any], x: Any) -> Graph:
    """Modules and functions of one pass."""
    chart, x = Chart(root), detached(x)  # so that a tensor that is given twice is two
    chart.takes(x)
    with chart.hooked():
        output = run(x)
    chart.gives(output)
    return chart.draft.graph(type(root).__name__, "modules", sum(p.numel() for p in root.parameters()))


def inputs(x: Any) -> list[tuple[str, Tensor]]:
    """The tensors that a model is given, and what each is called."""
    found = list(named(x, "input"))
    if not found:
        raise BadValue("What a torch model does shows when it is run: give x, an example or a batch of what it takes.")
    return found


def named(value: Any, path: str) -> Iterator[tuple[str, Tensor]]:
    """Every tensor in a value with where it is: `output.logits`, `input.1`."""
    if isinstance(value, Tensor):
        yield path, value
        return
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, tuple | list):
        parts = zip(getattr(value, "_fields", range(len(value))), value, strict=True)
    for key, part in parts:
        yield from named(part, f"{path}.{key}")


def _version(value: Tensor) -> int:
    """Grows with every operation in place."""
    return 0 if value.is_inference() else value._version


def _shape(value: Any) -> tuple[int, ...] | None:
    tensor = first(value)
    return None if tensor is None else tuple(tensor.shape)


def _named(function: Any) -> str:
    """`add` for `Tensor.__iadd__`, `T` for the property."""
    name = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":
        name = getattr(function.__self__, "__name__", name)
    name = name.strip("_")
    return _NAMES.get(name, name)
