"""The training step of one network, watched by another tool or by hand."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from _overhead.interleave import Step
from _overhead.watchers import Training


def leaves(model: nn.Module) -> dict[str, nn.Module]:
    """Modules without children, by name."""
    return {name: module for name, module in model.named_modules() if not any(module.children())}


def hooked(stack: ExitStack, modules: dict[str, nn.Module], tell: Callable[[str, Tensor], Any]) -> None:
    """Tell each module's output, until the stack is left."""
    for name, module in modules.items():
        handle = module.register_forward_hook(lambda _m, _a, output, name=name: tell(name, output.detach()) and None)
        stack.callback(handle.remove)


@contextmanager
def naive(training: Training) -> Iterator[Step]:
    """Hooks on every leaf that keep a copy of each output; all is thrown away at the end of a block."""
    kept: list[Tensor] = []
    with ExitStack() as stack:
        hooked(stack, leaves(training.model), lambda _, output: kept.append(output.clone()))
        yield training


def megabytes(training: Training) -> float:
    """What the leaves put out in a step: what naive hooks keep."""
    sizes: list[int] = []
    with ExitStack() as stack:
        hooked(stack, leaves(training.model), lambda _, output: sizes.append(output.nbytes))
        training()
    return round(sum(sizes) / 1e6, 2)


@contextmanager
def tensorboard(training: Training) -> Iterator[Step]:
    """Histograms of all parameters and of all leaves' outputs in every step."""
    from torch.utils.tensorboard import SummaryWriter

    number, seen = 0, {}
    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer, ExitStack() as stack:
        hooked(stack, leaves(training.model), seen.__setitem__)

        def step() -> None:
            nonlocal number
            training()
            number += 1
            for name, parameter in training.model.named_parameters():
                writer.add_histogram(name, parameter, number)
            for name, output in seen.items():
                writer.add_histogram(f"activations/{name}", output, number)

        yield step


@contextmanager
def wandb(training: Training) -> Iterator[Step]:
    """`watch(log="all", log_freq=1)`, offline, with the loss logged in every step; its own service process is not counted."""
    import wandb as tool

    with tempfile.TemporaryDirectory() as folder:
        settings = tool.Settings(silent=True, console="off", x_disable_stats=True)
        run = tool.init(mode="offline", dir=folder, project="overhead", settings=settings)
        run.watch(training.model, log="all", log_freq=1)
        try:
            yield lambda: run.log({"loss": training().item()})
        finally:
            run.unwatch(training.model)
            run.finish()


@contextmanager
def nnsight(training: Training) -> Iterator[Step]:
    """A trace around each forward pass that saves all leaves' outputs."""
    from nnsight import NNsight

    wrapped = NNsight(training.model)
    envoys = [reduce(_child, name.split("."), wrapped) for name in leaves(training.model)]
    x, y = training.batch[:2]

    def step() -> None:
        training.optimiser.zero_grad()
        kept: list[Tensor] = []
        with wrapped.trace(x):
            for envoy in envoys:
                kept.append(envoy.output.save())  # noqa: PERF401 - what is written here runs elsewhere, and knows no list of its own
        training.case.loss(kept[-1], y).backward()
        training.optimiser.step()

    yield step


def _child(envoy: Any, name: str) -> Any:
    return envoy[int(name)] if name.isdigit() else getattr(envoy, name)


@contextmanager
def cockpit(training: Training) -> Iterator[Step]:
    """The quantities of its economy configuration in every step."""
    from backpack import extend
    from cockpit import Cockpit
    from cockpit.utils.configuration import configuration

    extend(training.model)
    loss, each = extend(nn.CrossEntropyLoss()), nn.CrossEntropyLoss(reduction="none")
    watching = Cockpit(training.model.parameters(), quantities=configuration("economy"))
    x, y = training.batch[:2]
    number = 0

    def step() -> None:
        nonlocal number
        training.optimiser.zero_grad()
        outputs, truth = training.model(x).flatten(0, -2), y.flatten()
        total = loss(outputs, truth)
        told = {"batch_size": len(truth), "individual_losses": each(outputs, truth), "loss": total}
        with watching(number, info=told | {"optimizer": training.optimiser}):
            total.backward(create_graph=watching.create_graph(number))
        training.optimiser.step()
        number += 1

    yield step


@contextmanager
def staining(training: Training, *, prints: bool = False) -> Iterator[Step]:
    """nn_staining's mechanism, written anew: for every layer, example and neuron an `.item()` into lists in nested dicts."""
    history: dict[str, dict[str, dict[str, list[float]]]] = {}
    points = {f"L_{name}": m for name, m in training.model.named_modules() if isinstance(m, nn.ReLU | nn.Sigmoid)}
    with ExitStack() as stack:
        sink = stack.enter_context(Path(os.devnull).open("w")) if prints else None

        def record(name: str, output: Tensor) -> None:
            layer = history.setdefault(name, {})
            for row in output:
                for neuron, value in enumerate(row):
                    number = value.item()
                    layer.setdefault(f"n_{neuron}", {}).setdefault("activations", []).append(number)
                    if sink is not None:
                        for said in (name, neuron, number):
                            print(said, file=sink)

        hooked(stack, points, record)
        yield training
