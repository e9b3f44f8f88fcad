"""`nissl show`."""

from typing import Annotated

from cyclopts import Parameter

from nissl.apps._cli.options import Run


def show(
    run: Run,
    address: Annotated[
        str,
        Parameter(
            help="EPOCH, EPOCH/LAYER or EPOCH/LAYER/NEURON: e30 or E_30, n20 or n_20; as the page has it, ?vs=e12 and ?brush=hidden_1:3-7,12 too."
        ),
    ],
) -> None:
    """One place in a trace: an epoch, a layer at an epoch, or a neuron at an epoch.

    Examples: `nissl show runs/digits e30`; `nissl show runs/digits 'e30/hidden_1/n20?vs=e12'`; `nissl show runs/digits 'e30?brush=hidden_1:3-7,12'`.
    """
    from nissl.apps._cli import screens
    from nissl.core.address import beside
    from nissl.core.outlook import Outlook
    from nissl.core.trace import open as opened

    trace = opened(run)
    found, whole = trace[address], Outlook.of(address)
    screens.place(found)
    other = beside(address)
    if other is not None:
        screens.place(trace[other])
    for layer, units in whole.brush.items():
        screens.brushed(trace[f"e{whole.epoch}"][layer], units)
