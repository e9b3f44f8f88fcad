"""How far a long piece of work is: a bar in a terminal or notebook, nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def silent(share: float) -> None:
    """Tells nobody."""


@contextmanager
def progress(what: str, shown: bool) -> Iterator[Callable[[float], None]]:
    """Yields what is to be told the share that is done."""
    if not shown or not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)
