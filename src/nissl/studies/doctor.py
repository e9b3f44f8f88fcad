"""`doctor`: what is installed, what works, and how to get the rest."""

import os
import platform
import re
import tempfile
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from nissl.core.trace import open as opened
from nissl.studies.catalogue import Finding
from nissl.studies.train import train

HIDDEN = {"docs", "test", "check", "dev", "frameworks"}
"""Extras for those who work on nissl itself."""


def doctor() -> list[Finding]:
    """Look at everything, and record a small run to see that it works."""
    return [*_basis(), *_libraries(), *_kernel(), _trial()]


def _basis() -> Iterator[Finding]:
    yield Finding("nissl", "nissl", True, version("nissl"))
    yield Finding("nissl", "python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("nissl", "cores", True, f"{os.cpu_count()}")


def _libraries() -> Iterator[Finding]:
    """What pyproject.toml asks for, read from the installed package: no second list to keep."""
    for asked in requires("nissl") or ():
        name = re.split(r"[^\w.-]", asked)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)", asked)
        if name == "nissl" or (extra and extra[1] in HIDDEN):
            continue
        group = f"extra {extra[1]}" if extra else "core"
        try:
            yield Finding(group, name, True, version(name))
        except PackageNotFoundError:
            yield Finding(group, name, False, f"missing: pip install 'nissl{f'[{extra[1]}]' if extra else ''}'")


def _kernel() -> Iterator[Finding]:
    """How a layer's sums are taken where the network is a torch module."""
    try:
        from nissl.adapters._torch import native
    except ImportError:
        return
    if native.wanted():
        yield Finding("torch", "sums", True, "compiled kernel")
    elif native.kernel is not None:
        yield Finding("torch", "sums", True, "torch operations, because NISSL_NATIVE=0")
    else:
        said = "torch operations, slower: no compiled kernel; install a C compiler and reinstall nissl"
        yield Finding("torch", "sums", False, said)


def _trial() -> Finding:
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            path = Path(folder) / "run"
            train(path, data="iris", model="mlp", epochs=2, progress=False)
            trace = opened(path)
            device, units = trace.header["config"]["device"], len(trace["E_2"]["L_hidden_1"])
        return Finding("trial", "record and open", True, f"works, on {device}: {units} neurons at 2 epochs")
    except Exception as problem:  # noqa: BLE001 - the doctor reports whatever is wrong
        return Finding("trial", "record and open", False, f"{type(problem).__name__}: {problem}")
