"""`nissl info`."""

from nissl.apps._cli.options import Run


def info(run: Run) -> None:
    """What a trace holds: layers, quantities, epochs, room on disk, what it cost; also while it is being recorded.

    Example: `nissl info runs/digits`.
    """
    from nissl.apps._cli import screens
    from nissl.studies.contents import contents

    screens.contents(run, contents(run))
