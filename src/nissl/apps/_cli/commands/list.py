"""`nissl list`."""

from typing import Annotated

from cyclopts import Parameter


def plug_ins(kind: Annotated[str | None, Parameter(help="Only these, each with what it is.")] = None) -> None:
    """What there is by name: data sets, models, quantities, stores, adapters, views.

    Examples: `nissl list`; `nissl list quantities`.
    """
    from nissl.apps._cli import screens
    from nissl.studies.catalogue import catalogue

    screens.findings(catalogue(kind))
