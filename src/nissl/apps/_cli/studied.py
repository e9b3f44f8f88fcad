"""What `nissl study` prints and writes."""

from pathlib import Path

from nissl.apps._cli.screens import console, table
from nissl.core.progress import progress
from nissl.errors import MissingDependency
from nissl.studies.study import Study


def folder(where: str) -> Path:
    """Where pictures of a run or a model go: not where a demonstration of the same name has its trace."""
    last = where.rstrip("/").rpartition("/")[2]
    return Path("results") / f"{last.replace('.py', '').replace(':', '_')}_study"


def show(found: Study, out: Path, tensorboard: Path | None = None) -> None:
    """How right it was at each stage, the worst mistakes, and where the pictures are."""
    says = console()
    rows = [
        (stage.epoch, f"{stage.accuracy:.4f}", f"{stage.loss:.4f}", len(stage.mistakes())) for stage in found.judged
    ]
    says.print(table(("epoch", "accuracy", "loss", "misclassified"), rows, right=(0, 1, 2, 3)))
    last = found.judged[-1]
    worst = found.mistakes()[:5]
    if len(worst):
        told = (
            f"{number} is {found.classes[last.labels[number]]}, taken for {found.classes[last.predicted[number]]} "
            f"(p of the truth {last.of_truth[number]:.3f})"
            for number in worst
        )
        says.print(f"worst mistakes, by sample: {'; '.join(told)}", markup=False, soft_wrap=True)
    written = _painted(found, out)
    says.print(f"written: {written} pictures in {out}/", soft_wrap=True)
    if tensorboard is not None:
        found.to_tensorboard(tensorboard)
        says.print(f"written: {tensorboard}/; next: tensorboard --logdir {tensorboard}", soft_wrap=True)


def _painted(found: Study, out: Path) -> int:
    try:
        from nissl.apps.figure import paint
    except ImportError as error:
        raise MissingDependency(f"Pictures need matplotlib: pip install 'nissl[plots]' ({error})") from error
    count = 0
    with progress("pictures", True) as tick:
        for at, (path, view) in enumerate(found.pictures(), 1):
            paint(view.describe(), out / f"{path}.png")
            count = at
            tick(min(at / found.expected, 1.0))
    return count
