"""`nissl profile`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Grouping, several
from nissl.errors import BadValue


def profile(
    run: Annotated[str, Parameter(help="A run, or a model: FILE.py:NAME, package.module:NAME.")],
    measure: Annotated[str, Parameter(help="With --out: mean, contrast, selectivity ...: `nissl list profiles`.")] = "mean",
    *,
    data: Annotated[str | None, Parameter(help="FILE.py:NAME, (x, y); or a data set by name. A run of `nissl train` knows its own.")] = None,
    output: Annotated[Path | None, Parameter(alias="-o", help="An .npz file for the profiles. Nothing is overwritten.")] = None,
    pictures: Annotated[Path | None, Parameter(help="A folder for pictures of them.")] = None,
    grouping: Grouping | None = None,
    out: Annotated[Path | None, Parameter(help="A measure of the whole trace instead, into this Zarr folder.")] = None,
    layers: Annotated[list[str] | None, Parameter(converter=several, help="Only these, with commas.", negative=())] = None,
    scheduler: Annotated[str | None, Parameter(help="With --out: a Dask scheduler, tcp://HOST:8786; left out: this machine's threads.")] = None,
    **options: Annotated[str, Parameter(help="With --out: the measure's own, --against each.")],
) -> None:  # fmt: skip
    """What units make of groups of inputs: means, and what sets each group apart; or a measure of a whole trace.

    Examples: `nissl profile runs/digits`; `nissl profile runs/digits --groups label,correct --within label -o split.npz`;
    `nissl profile model.py:net --data model.py:data --groups model.py:age --align prediction --pictures found`.

    Of a trace of any size: `nissl profile runs/digits contrast --out contrast.zarr --against each`.
    """
    from nissl.studies import profile as study

    if out is not None:
        print(study.profile(run, measure, out, layers=layers, options=options, scheduler=scheduler))
        return
    if options or measure != "mean" or scheduler:
        raise BadValue(
            f"{', '.join(f'--{name}' for name in options) or measure}: a measure of a whole trace is written to a folder: add --out "
            "contrast.zarr. Without it groups of inputs are profiled: see nissl profile --help."
        )
    from nissl.apps._cli import grouped

    asked = (grouping or Grouping()).asked()
    grouped.shown(study.grouped(run, data=data, layers=layers, output=output, **asked), output, pictures)
