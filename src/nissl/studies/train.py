"""`train`: a data set, a network and an optimiser by name, recorded from the first step to the last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf, isfinite
from pathlib import Path
from typing import Any

from nissl import plugins
from nissl.core.dataset import DataSet, Splits
from nissl.core.record import record
from nissl.core.recorder import Recorder
from nissl.core.screen import Screen
from nissl.core.settings import Settings
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue, MissingDependency, NoTrace, listing, near
from nissl.studies._study.anew import Held, begun, told
from nissl.studies.checkpoints import Checkpoints
from nissl.studies.making import made
from nissl.studies.stages import Stages

KEPT = ("best", "improvements", "recorded")
"""Which weights are kept: the best ones, or besides them those before training and at every improvement, or recorded epoch."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What `train` leaves behind."""

    network: Any
    """As it is after the last epoch; the best one lies at `best`."""
    trace: Trace
    losses: tuple[float, ...]
    """On the test examples, one an epoch."""
    best: Path | None
    """The weights of the epoch with the lowest of these losses; None where the trace is in memory, or no loss a number."""
    stages: Stages | None = None
    """What the network was at the epochs that were to be kept."""


def train(
    path: str | Path | None = None, *, data: str | DataSet | Splits = "digits", model: Any = "mlp", epochs: int = 30,
    batch_size: int = 32, optimiser: str = "adam", learning_rate: float = 1e-3, seed: int = 0, device: str = "auto",
    data_options: Mapping[str, Any] | None = None, model_options: Mapping[str, Any] | None = None,
    bins: int | None = None, keep: str = "best", start: str | Path | None = None, freeze: str | Sequence[str] | None = None,
    delete: Sequence[str | Path] | None = None, resume: bool = False, overwrite: bool = False,
    settings: Settings | None = None, **options: Any,
) -> Trained:  # fmt: skip
    """Train `model` on `data` and record it at `path` (None: in memory); the test examples are the probe.

    data, model: names (see `nissl list`; data may also be a folder of class folders), or a data set and a torch module of
    your own; data_options, model_options: fields of the named ones; device: "auto" is the GPU if there is one; bins: for
    values to be predicted, how many bins they are divided into; resume: go on after the trace's last epoch, exactly as if
    there had been no break; overwrite: begin anew; every field of Settings is an option too, as in `nissl.record`.
    keep: "improvements" or "recorded" keep the network before training and at these epochs too, for `nissl.study`.
    start: a run of `train`, whose data, network and best weights are taken; freeze: layers that learn no more; delete: files
    of structures (`Structure.save`) whose units stay deleted meanwhile, and in the weights that are kept.
    The network with the least loss on the test examples is kept in checkpoints/RUN/best_model.pt beside the trace, or here if
    that is no folder. The same seed gives the same network on the same machine. Ctrl-C leaves a whole trace.
    """
    recipe = _recipe(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    settings, kept = _settings(settings, options), _kept(path, keep)
    if start is not None:
        data, model, data_options, model_options = begun(start)
    splits, said_data = _data(data, data_options or {})
    training = _training()
    with training.seeded(seed):
        network, gives, said_model = _model(model, splits, model_options or {})
        trainer = training.Trainer(
            network, splits, gives=gives, optimiser=optimiser, learning_rate=learning_rate, batch=batch_size, seed=seed, device=device
        )  # fmt: skip
        config = {"data": said_data, "model": said_model, "optimiser": optimiser, "device": trainer.device, **recipe}
        config |= told(start=start, freeze=freeze, delete=delete)
        losses = _taken_up(kept, trainer, config) if resume else []
        recorder = record(
            network, path, classes=splits.classes or None, bins=bins, probe=tuple(splits.test), resume=resume,
            overwrite=overwrite, settings=settings, config=config,
        )  # fmt: skip
        with Held(trainer.network, splits.test.x[:64], freeze, delete) as held:
            return _run(trainer, recorder, epochs, kept, losses, keep, held)


def _kept(path: str | Path | None, keep: str) -> Checkpoints | None:
    if keep not in KEPT or (path is None and keep != "best"):
        raise BadValue(f"keep={keep!r}: one of {listing(KEPT)}; of a trace in memory nothing is kept.")
    return None if path is None else Checkpoints(path)


def _run(
    trainer: Any, recorder: Recorder, epochs: int, kept: Checkpoints | None, losses: list[float], keep: str, held: Held
) -> Trained:
    try:
        with recorder, trainer.paced():
            if kept and not losses:
                kept.clear()
                if keep != "best":
                    kept.stages.keep(held.lasting(), 0)
            for epoch in recorder.epochs(epochs):
                for x, y in recorder.batches(trainer.loader):
                    trainer.step(x, y)
                losses.append(trainer.evaluate())
                better = losses[-1] < min(filter(isfinite, losses[:-1]), default=inf)
                due = recorder.settings.schedule.due(epoch)
                if kept and better:
                    kept.better(trainer, held.lasting())
                if kept and ((keep == "improvements" and better) or (keep == "recorded" and due)):
                    kept.stages.keep(held.lasting(), epoch)
                if kept and due:
                    kept.reached(trainer, epoch, losses)
    except KeyboardInterrupt:
        where = (
            f"the trace at {kept.trace} is whole, resume goes on with it" if kept else "the trace in memory is whole"
        )
        Screen(recorder.settings.progress).say(
            f"stopped in epoch {len(losses) + 1} of {epochs}; {where}; epochs recorded: {len(recorder.trace.epochs)}"
        )
        raise
    best = kept.best if kept and kept.best.exists() else None
    return Trained(
        held.lasting(), recorder.trace, tuple(losses), best, kept.stages if kept and keep != "best" else None
    )


def _taken_up(kept: Checkpoints | None, trainer: Any, config: Mapping[str, Any]) -> list[float]:
    """The losses until now, and the trainer as it was then: a run goes on as it began, but for its length and device."""
    if kept is None:
        raise BadValue("resume=True goes on with a trace on disk: give its path.")
    try:
        trace = opened(kept.trace)
    except NoTrace:
        return []
    began = trace.header.get("config", {})
    for name, value in config.items():
        if name not in ("epochs", "device") and began.get(name) != value:
            raise BadValue(
                f"{kept.trace} was begun with {name}={began.get(name)}, not {value}: a run goes on as it began."
            )
    last = max(trace.epochs, default=0)
    return kept.take_up(trainer, last) if last else []


def _training() -> Any:
    try:
        from nissl.models._training import trainer
    except ImportError as error:
        raise MissingDependency(f"nissl trains with PyTorch: pip install 'nissl[torch]' ({error})") from error
    return trainer


def _recipe(**numbers: Any) -> dict[str, Any]:
    for name in ("epochs", "batch_size", "seed"):
        least = 0 if name == "seed" else 1
        if not isinstance(numbers[name], int) or isinstance(numbers[name], bool) or numbers[name] < least:
            raise BadValue(f"{name}={numbers[name]!r}: a whole number from {least}.")
    if not 0 < numbers["learning_rate"] < float("inf"):
        raise BadValue(f"learning_rate={numbers['learning_rate']!r}: a number above 0.")
    return numbers


def _settings(settings: Settings | None, options: Mapping[str, Any]) -> Settings:
    if settings is not None:
        if options:
            raise BadValue(f"Give either settings or single options, not both: {', '.join(options)}.")
        return settings
    known = [field.name for field in fields(Settings) if field.init]
    for name in options:
        if name not in known:
            raise BadValue(
                f"train() has no option {name!r}.{near(name, known)} Those of the recording: {listing(known)}."
            )
    return Settings(**options)


def _data(data: str | DataSet | Splits, options: Mapping[str, Any]) -> tuple[Splits, Any]:
    if isinstance(data, str) and not plugins.known("data", data) and Path(data).exists():
        data, options = "folder", {"path": data, **options}
    if isinstance(data, str):
        data = made("data", data, {}, options)
    elif options:
        raise BadValue("data_options are for a data set that is named; yours has its own fields.")
    splits = data.load() if isinstance(data, DataSet) else data
    if not isinstance(splits, Splits):
        raise BadValue(f"data: {type(data).__name__} is no name, no DataSet and no Splits.")
    return splits, _said(data)


def _model(model: Any, splits: Splits, options: Mapping[str, Any]) -> tuple[Any, str, Any]:
    """The network, what it gives, and what the header shall say of it."""
    if not isinstance(model, str):
        if options:
            raise BadValue("model_options are for a network that is named; yours is made already.")
        return model, "logits", type(model).__qualname__
    y = splits.train.y
    outputs = len(splits.classes) or (y.shape[1] if y.ndim == 2 else 1)
    blueprint = made("models", model, {"shape": splits.shape, "classes": outputs}, options)
    return blueprint.build(), blueprint.gives, _said(blueprint)


def _said(thing: Any) -> Any:
    """As plain values for the header: the class's name and its fields."""
    name = type(thing).__name__
    if isinstance(thing, Splits):
        return {"name": name, "shape": list(thing.shape), "examples": [len(thing.train.x), len(thing.test.x)]}
    values = {f.name: getattr(thing, f.name) for f in fields(thing)} if hasattr(thing, "__dataclass_fields__") else {}
    return {"name": name} | {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
