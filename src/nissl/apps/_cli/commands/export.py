"""`nissl export`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nissl.apps._cli.options import Run
from nissl.errors import BadValue


def export(
    run: Run,
    *,
    to: Annotated[
        Literal["parquet", "csv", "zarr", "site"],
        Parameter(
            help="parquet and csv hold one table; zarr holds everything, as xarray reads it; site is the page, for any web host."
        ),
    ],
    out: Annotated[Path | None, Parameter(help="Where to; left out: beside the trace. Nothing is overwritten.")] = None,
    table: Annotated[
        Literal["neurons", "epochs", "connections"],
        Parameter(help="A row for each neuron and epoch, for each epoch, or for each weight and epoch (large)."),
    ] = "neurons",
    beside: Annotated[
        str | None,
        Parameter(help="With site: another run, to be compared with: its numbers, its confusion, its units."),
    ] = None,
) -> None:
    """A trace as a file for other programs.

    Examples: `nissl export runs/digits --to csv`; `nissl export runs/digits --to parquet --table connections`;
    `nissl export runs/digits --to site --out public`.
    """
    if to == "site":
        from nissl.apps.report import site

        if table != "neurons":
            raise BadValue("A site holds all that the page shows, not one table: leave --table out.")
        print(site(run, out, beside=beside))
        return
    if beside is not None:
        raise BadValue("Two runs are compared on the page: --beside goes with --to site.")
    from nissl.studies.export import export as study

    print(study(run, to, out, table=table))
