"""`nissl structure`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Finding


def structure(
    where: Annotated[str, Parameter(help="A run of `nissl train`; a model, FILE.py:NAME or package.module:NAME; or a checkpoint, simplenet:FILE.pth.")],
    *,
    target: Annotated[str | None, Parameter(help="A class; 3,8: why 3 and not 8; or an output's number. Left out: every class.")] = None,
    data: Annotated[str | None, Parameter(help="FILE.py:NAME, (x, y) or (to find with, to judge on); or a data set by name.")] = None,
    verify: Annotated[bool, Parameter(negative=(), help="Prove it: cut it, and compare with controls.")] = False,
    delete: Annotated[bool, Parameter(negative=(), help="Make a smaller network without it, at --output.")] = False,
    output: Annotated[Path | None, Parameter(alias="-o", help="Where the smaller network goes. Nothing is overwritten.")] = None,
    out: Annotated[Path | None, Parameter(help="A folder for structures, report and pictures.")] = None,
    finding: Finding | None = None,
) -> None:  # fmt: skip
    """The units that make an output: found by what the output depends on, proved by cutting them, and deleted.

    Examples: `nissl structure results/digits --target 3 --verify`; `nissl structure model.py:net --data model.py:data --out found`;
    `nissl structure results/digits --target 3 --size "target<=0.05" --delete -o smaller.pt`.
    """
    from nissl.apps._cli import found
    from nissl.studies.structure import structure as study

    asked = (finding or Finding()).asked()
    done = study(where, target, data=data, verify=verify, delete=delete, output=output, **asked)
    found.shown(done, out)
