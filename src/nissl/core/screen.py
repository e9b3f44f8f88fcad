"""What the user sees while a run is recorded: a progress bar in a terminal or notebook, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any, Self


class Screen:
    """Shows nothing when `shown` is False; never a reason for a run to fail."""

    def __init__(self, shown: bool):
        self.shown, self._last = shown, 0.0
        self._bar: Any = None
        self._task: Any = None
        self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, text: str) -> None:
        if not self.shown:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            sys.stderr.write(f"nissl: {text}\n")
            sys.stderr.flush()

    def start(self, first: int, last: int) -> None:
        """Epochs `first` to `last` are about to run."""
        self._total = last
        if self.shown and (sys.stderr.isatty() or "ipykernel" in sys.modules):
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            look = ("{task.description}", "{task.fields[said]}")
            self._bar = Progress(
                TextColumn(look[0]), BarColumn(), TextColumn(look[1]), TimeRemainingColumn(),
                console=Console(stderr=True), transient=False,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task("epochs", total=last, completed=first - 1, said="")

    def step(self, epoch: int, step: int, steps: int | None) -> None:
        """One batch is done; drawn at most ten times a second."""
        if self._bar is not None and time.monotonic() - self._last > 0.1:
            self._last = time.monotonic()
            share = step / steps if steps else 0.0
            of = f"/{steps}" if steps else ""
            self._bar.update(
                self._task, completed=epoch - 1 + share, description=f"epoch {epoch}/{self._total} batch {step}{of}"
            )

    def epoch(self, epoch: int, scalars: dict[str, float], recorded: bool) -> None:
        numbers = "  ".join(
            f"{name} {value:.4g}" for name, value in scalars.items() if name not in ("steps", "seconds")
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=epoch, description=f"epoch {epoch}/{self._total}", said=numbers)
        elif recorded:
            of = f"/{self._total}" if self._total else ""
            self.say(f"epoch {epoch}{of}  {numbers}".rstrip())


def amount(size: float) -> str:
    """Bytes for people: 1.6 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
