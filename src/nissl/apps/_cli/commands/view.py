"""`nissl view`."""

from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Run


def view(
    run: Run,
    at: Annotated[
        str, Parameter(help="The address that it opens at: e30/hidden_1/n20?stain=3,8; left out: the last epoch.")
    ] = "",
    *,
    port: Annotated[
        int | None, Parameter(help="Where it listens, on this machine only; left out: any that is free.")
    ] = None,
    browser: Annotated[bool, Parameter(help="Open the page; --no-browser only prints its address.")] = True,
    model: Annotated[
        str | None,
        Parameter(
            help="The trained network, FILE.py:NAME or package.module:NAME, to cut its units from the page and see what that costs; a run of `nissl train` or `nissl demo` has its own."
        ),
    ] = None,
    data: Annotated[
        str | None,
        Parameter(help="Its examples, FILE.py:NAME: (x, y) or (to find with, to judge on); or a data set by name."),
    ] = None,
    structure: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="A structure that was saved (`nissl structure ... --out`), or a folder of them; may be given again. Those in structures/RUN beside the run are shown without.",
        ),
    ] = None,
    beside: Annotated[
        str | None, Parameter(help="Another run, to be compared with: its numbers, its confusion, its units.")
    ] = None,
) -> None:
    """See the network learn, in a browser: its pathways stained, epoch by epoch; also while it is being recorded.

    Examples: `nissl view runs/digits`; `nissl view runs/digits 'e3/hidden_1?view=layers'`; `nissl view runs/mine --model train.py:net --data train.py:examples`.
    """
    from nissl.apps.server import view as serve

    serve(run, at, port=port, browser=browser, model=model, data=data, structure=structure or (), beside=beside)
