"""`project`: samples as points, of a run or of a model by name; a picture of them, and files for TensorBoard's projector."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nissl.core.projection import Projection, projection
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue, NisslError
from nissl.studies.subject import few, recorded_data, subject


def project(
    where: str, layer: str | None = None, *, by: str = "tsne", epochs: Sequence[int] | None = None, data: str | None = None,
    limit: int = 10_000, seed: int = 0, options: Mapping[str, Any] | None = None, tensorboard: Path | None = None,
    progress: bool = True, preview: Callable[[Any], None] | None = None,
) -> Projection:  # fmt: skip
    """A run that recorded samples is projected at all its epochs; another run, or a model (FILE.py:NAME), as it is now.

    `where`, `data`: see `nissl.studies.subject`; of examples to be judged on, at most `limit` are shown. `tensorboard`: a folder.
    """
    if tensorboard is not None and tensorboard.exists() and any(tensorboard.iterdir()):
        raise BadValue(f"{tensorboard} is not empty; nothing is overwritten: name another folder.")
    given: dict[str, Any] = {"by": by, "seed": seed, "progress": progress, "preview": preview, **(options or {})}
    trace = opened(where) if ":" not in where or "://" in where else None
    if trace is not None and any(spec.name == "samples" for name in trace.layers for spec in trace.specs(name)):
        found = projection(trace, _probe(trace), layer, epochs=epochs, **given)
    elif epochs is not None:
        raise BadValue(
            f"epochs are those at which samples were recorded, and {where} holds none: train or record with --quantities "
            "activation,profile,predictions,samples."
        )
    else:
        seen = subject(where, data, limit)
        shown = few(seen.held_out if seen.held_out is not None else seen.discovery, limit)
        found = projection(seen.model, shown, layer, classes=seen.classes or None, **given)
    if tensorboard is not None:
        found.export(tensorboard)
    return found


def _probe(trace: Trace) -> Any:
    """What was shown, where a data set by name was: its pictures."""
    try:
        test = tuple(recorded_data(trace).test)
    except (NisslError, OSError):
        return None
    first = next(spec for name in trace.layers for spec in trace.specs(name) if spec.name == "samples")
    return test if len(test[0]) == first.shape[0] else None
