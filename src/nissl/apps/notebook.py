"""`view`: the microscope, where one is: in a notebook as a widget of the cell, elsewhere as a page in the browser."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nissl.apps.server import shown
from nissl.core.outlook import Outlook
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import MissingDependency
from nissl.studies.feed import Feed


def view(
    run: str | Path | Trace, at: str | Outlook = "", *, height: int = 680, model: Any = None, data: Any = None,
    structure: Sequence[str | Path] = (), beside: str | Path | Trace | None = None, **serving: Any,
) -> Any:  # fmt: skip
    """See a trace at an address, such as "e30/hidden_1/n20?stain=3,8", or an `Outlook`; left out: its last epoch.

    In Jupyter, VS Code, Colab and marimo it gives a widget, whose `at` is the address of what is seen, both ways. Elsewhere it
    opens the page in the browser, as `nissl view` does, until interrupted; `serving` is its port and browser.
    `model`, `data`: the network that was recorded, and (x, y), or FILE.py:NAME each, to cut units and see what it costs; a run of
    `nissl train` knows its own. `structure`: files of `Structure.save`; `beside`: another run, to be compared with.
    """
    seen = {"model": model, "data": data, "structure": structure, "beside": beside}
    if not in_notebook():
        from nissl.apps.server import view as serve

        return serve(run, str(at), **seen, **serving)
    return widget(run, str(at), height=height, **seen)


def widget(
    run: str | Path | Trace, at: str = "", *, height: int = 680, model: Any = None, data: Any = None,
    structure: Sequence[str | Path] = (), beside: str | Path | Trace | None = None,
) -> Any:  # fmt: skip
    """The widget, wherever one is."""
    try:
        from nissl.apps._view.widget import Widget
    except ImportError as error:
        raise MissingDependency("In a notebook the page needs anywidget: pip install 'nissl[notebook]'") from error
    trace = run if isinstance(run, Trace) else opened(run)
    return Widget(Feed(**shown(run, trace, model, data, structure, beside), asked=True), at, height=height)


def in_notebook() -> bool:
    """Is there a kernel behind this, and a front end that shows widgets?"""
    marimo = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
