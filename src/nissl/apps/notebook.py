"""`view`: the microscope, where one is: in a notebook as a widget of the cell, elsewhere as a page in the browser."""

import sys
from pathlib import Path
from typing import Any

from nissl.apps.server import trace_name, where
from nissl.core.outlook import Outlook
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import MissingDependency
from nissl.studies._feed.structures import saved
from nissl.studies.feed import Feed


def view(run: str | Path | Trace, at: str | Outlook = "", *, height: int = 680, **serving: Any) -> Any:
    """See a trace at an address, such as "e30/hidden_1/n20?stain=3,8", or an `Outlook`; left out: its last epoch.

    In Jupyter, VS Code, Colab and marimo it gives a widget, whose `at` is the address of what is seen, both ways. Elsewhere it
    opens the page in the browser, as `nissl view` does, until interrupted; `serving` is port, browser, model and data of that.
    """
    at = str(at)
    if not in_notebook():
        from nissl.apps.server import view as serve

        return serve(run, at, **serving)
    return widget(run, at, height=height)


def widget(run: str | Path | Trace, at: str = "", *, height: int = 680) -> Any:
    """The widget, wherever one is."""
    try:
        from nissl.apps._view.widget import Widget
    except ImportError as error:
        raise MissingDependency("In a notebook the page needs anywidget: pip install 'nissl[notebook]'") from error
    trace = run if isinstance(run, Trace) else opened(run)
    return Widget(Feed(trace, trace_name(run, trace), saved=saved(where(trace))), at, height=height)


def in_notebook() -> bool:
    """Is there a kernel behind this, and a front end that shows widgets?"""
    marimo = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
