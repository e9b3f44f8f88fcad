"""`nissl report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Run


def report(
    run: Run,
    *,
    out: Annotated[Path, Parameter(alias="-o", help="The file, which ends in .html.")],
    beside: Annotated[
        str | None, Parameter(help="Another run, to be compared with: its numbers, its confusion, its units.")
    ] = None,
) -> None:
    """The page of a run as one HTML file that opens from disk, to send or to keep; it asks nothing of any network.

    Example: `nissl report runs/digits -o digits.html`.
    """
    from nissl.apps.report import report as write
    from nissl.core.screen import amount

    made = write(run, out, beside=beside)
    print(f"{made} ({amount(made.stat().st_size)})")
