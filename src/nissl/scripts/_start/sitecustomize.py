"""Imported by every Python that starts under `nissl record`: listens in, then gives way to a sitecustomize of the user's."""

import os
import sys


def _begin() -> None:
    asked = os.environ.get("NISSL_SCRIPT")
    if not asked:
        return
    try:
        from nissl.scripts._hook.process import begin
    except ImportError as error:
        sys.stderr.write(
            f"nissl: nothing that runs in {sys.executable} is recorded, for it cannot import nissl ({error}). "
            "Install nissl there, or name a Python that has it.\n"
        )
        return
    begin(asked)


def _give_way() -> None:
    """What would have been imported under this name if this folder were not there."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes longer to import
    sys.path[:] = [part for part in sys.path if os.path.abspath(part or ".") != here]  # noqa: PTH100 - the same
    ours = sys.modules.pop(__name__)
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    sys.modules.setdefault(__name__, ours)


_begin()
_give_way()
