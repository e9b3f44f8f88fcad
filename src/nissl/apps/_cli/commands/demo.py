"""`nissl demo`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def demo(
    *,
    binary: Annotated[
        bool, Parameter(negative=(), help="Two classes: what serves each of them, and what both.")
    ] = False,
    out: Annotated[Path, Parameter(help="For trace and pictures; an earlier demo's trace is replaced.")] = Path(
        "results"
    ),
    epochs: Annotated[int, Parameter(help="How many passes over the training examples.")] = 20,
    seed: Annotated[int, Parameter(help="The same seed gives the same network.")] = 0,
) -> None:
    """Train a small network on handwritten digits while recording it, and show what was seen; takes seconds.

    Prints a table, and writes the trace and (where matplotlib is installed) pictures into a folder.
    """
    from nissl.apps._cli import demonstration
    from nissl.studies.demo import demo as study

    demonstration.show(study(out, binary=binary, epochs=epochs, seed=seed), out)
