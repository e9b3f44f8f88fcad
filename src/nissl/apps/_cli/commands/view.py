"""`nissl view`."""

from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Run


def view(
    run: Run,
    *,
    port: Annotated[
        int | None, Parameter(help="Where it listens, on this machine only; left out: any that is free.")
    ] = None,
    browser: Annotated[bool, Parameter(help="Open the page; --no-browser only prints its address.")] = True,
) -> None:
    """See the network learn, in a browser: its pathways stained, epoch by epoch; also while it is being recorded.

    Example: `nissl view runs/digits`.
    """
    from nissl.apps.server import view as serve

    serve(run, port=port, browser=browser)
