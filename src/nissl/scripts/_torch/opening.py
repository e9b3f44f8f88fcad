"""Opening the recorder in the first training call, before it runs; and saying what was detected."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from nissl.core.record import record
from nissl.core.recorder import Recorder
from nissl.core.session import Session, shown
from nissl.errors import BadValue, listing
from nissl.scripts._hook.labels import Labels, like
from nissl.scripts._torch import finding
from nissl.scripts._torch.probing import kept
from nissl.scripts._torch.recording import Pass, Recording


def opened(
    session: Session, optimizers: Sequence[Any], root: nn.Module, given: tuple[tuple[Any, ...], dict[str, Any]],
    latest: tuple[Pass, Any] | None,
) -> Recording:  # fmt: skip
    """A recording of what these optimisers train, begun in a call of `root` with what it is given and the latest batch."""
    asked, stack = session.asked, list(finding.frames())
    known = finding.named(stack)
    models = finding.chosen(asked.model, known, root) if asked.model else finding.trained(optimizers, root, known)
    if latest is not None and latest[0].iterator() is None:
        latest = None  # one batch was looked at, in passing
    labels = Labels(asked.labels)
    first = labels.batch(latest[1]) if latest else None
    first = first if labels.of_batch else labels.here(next(iter(stack), None))
    probe, probed = None, "none: several models, or one that is not called as a whole"
    if len(models) == 1 and _same(next(iter(models.values())), root):
        probe, probed = kept(*given, first, asked.probe)
    model = next(iter(models.values())) if len(models) == 1 else finding.Models.of(_prefixes(models))
    path = session.place()
    recorder, trouble = _entered(session, model, path, probe)
    owned = {id(p) for p in root.parameters()}
    optimizer = next((o for o in optimizers if finding.parameters(o) & owned), optimizers[0])
    recording = Recording(recorder, root, optimizer, labels, asked.epoch_steps, session.say)
    session.began(path)
    lines = {
        "model": _models(models),
        "optimiser": ", ".join(f"{type(o).__name__}{_variable(o, stack)}" for o in optimizers),
        "epochs": _epochs(latest[0] if latest else None, stack, asked.epoch_steps),
        "labels": labels.said + (f": {like(first)}" if first is not None else labels.lack),
        "probe": trouble or probed,
    }
    _report(session, path, lines)
    if latest is not None:
        recording.delivered(*latest)
    return recording


def _entered(session: Session, model: nn.Module, path: Path, probe: Any) -> tuple[Recorder, str]:
    """An open recorder; without the probe, where the model can't be shown it."""
    options = session.options
    if probe is not None:
        try:
            return record(model, path, probe=probe, **options).__enter__(), ""
        except BadValue as error:
            trouble = f"none: {error}"
    else:
        trouble = ""
    return record(model, path, **options).__enter__(), trouble


def _same(model: nn.Module, root: nn.Module) -> bool:
    """Is one the other, or a wrapper around it (torch.compile, DistributedDataParallel)?"""
    inner = [getattr(m, name, None) for m in (model, root) for name in ("module", "_orig_mod")]
    return model is root or any(part is model or part is root for part in inner)


def _prefixes(models: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    for name, model in models.items():
        short = name.rpartition(".")[2]
        found[short if short not in found else name.replace(".", "_")] = model
    return found


def _models(models: Mapping[str, nn.Module]) -> str:
    each = ", ".join(f"{name} ({type(model).__name__})" for name, model in models.items())
    return each + ("; layers are named " + listing(f"{n}.*" for n in _prefixes(models)) if len(models) > 1 else "")


def _variable(value: Any, stack: Any) -> str:
    name = finding.called(value, stack)
    return f" ({name})" if name else ""


def _epochs(of: Pass | None, stack: Any, steps: int | None) -> str:
    if steps:
        return f"every {steps} steps"
    if of is None:
        return "NOT KNOWN: no DataLoader is in use, so all steps are one epoch. Say how many steps are one: --epoch-steps N"
    loader = of.loader()  # gone already, where `for` alone holds it
    name = _variable(loader, stack) if loader is not None else ""
    return f"passes over the DataLoader{name}, {of.length} batches each"


def _report(session: Session, path: Path, lines: Mapping[str, str]) -> None:
    options = {"model": "--model", "optimiser": "", "epochs": "--epoch-steps", "labels": "--labels", "probe": "--probe"}
    session.say(f"recording into {shown(path)} what it detected (change it with the option behind):")
    for what, text in lines.items():
        option = f"  [{options[what]}]" if options[what] else ""
        session.say(f"  {what:10} {text.rstrip()}{option}")
