"""How far a long piece of work is: a bar in a terminal or notebook, nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = bool | Callable[[float], None]
"""What a user may say of it: a bar or none; or somebody who is told the share that is done."""


def silent(share: float) -> None:
    """Tells nobody."""


def sparing(tell: Callable[[float], None]) -> Callable[[float], None]:
    """Tells of hundredths alone, where every word is a message."""
    said = -1.0

    def told(share: float) -> None:
        nonlocal said
        if share >= said + 0.01:
            said = share
            tell(round(min(share, 1.0), 3))

    return told


@contextmanager
def progress(what: str, shown: Progress) -> Iterator[Callable[[float], None]]:
    """Yields what is to be told the share that is done; `shown` may be somebody who wants to know it instead of a bar."""
    if callable(shown):
        yield shown
        return
    if not shown or not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)
