"""What `import nissl` gives, and what it must not cost."""

import ast
import importlib.metadata
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import nissl
from nissl.studies.catalogue import KINDS

HEAVY = {"numpy", "torch", "pandas", "matplotlib", "zarr", "sklearn", "xarray", "scipy", "safetensors", "PIL"}
FREE_ROOMS = ("core", "quantities", "stores", "data", "views", "studies", "apps")
"""Rooms whose modules load numpy at most; adapters and models need their framework."""


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh Python holds after running `code`."""
    report = "; import json, sys; print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + report], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_loads_nothing_heavy() -> None:
    loaded = loaded_by("import nissl; dir(nissl)")
    assert not loaded & (HEAVY | {"rich", "cyclopts"})
    assert len(loaded - loaded_by("pass")) < 10  # nissl itself, and very little of the standard library


def test_the_watch_on_loading_sees_what_is_loaded() -> None:
    assert "numpy" in loaded_by("import nissl; nissl.Layer; nissl.Network")


def test_help_loads_nothing_heavy() -> None:
    pytest.importorskip("nissl.apps.cli")
    code = "import contextlib, sys; sys.argv = ['nissl', '--help']\nwith contextlib.suppress(SystemExit):\n    "
    assert not loaded_by(f"{code}from nissl.apps.cli import main; main()\nNone") & HEAVY


def test_modules_load_numpy_at_most() -> None:
    names = [
        f"nissl.{room}.{found.name}"
        for room in FREE_ROOMS
        for found in pkgutil.iter_modules([str(Path(nissl.__file__).parent / room)])
    ]
    assert len(names) > 10
    assert not loaded_by(f"import {', '.join(names)}") & (HEAVY - {"numpy"})


@pytest.mark.parametrize("name", nissl.__all__)
def test_every_public_name_resolves(name: str) -> None:
    found = getattr(nissl, name)
    assert found.__name__ == name
    assert found.__module__ == nissl._HOMES[name]
    assert found.__doc__


def test_no_room_takes_the_place_of_a_public_name() -> None:
    """Python puts a folder that was imported in the place of whatever the package has of that name."""
    assert {found.name for found in pkgutil.iter_modules(nissl.__path__)} & set(nissl.__all__) == set()


def test_editors_and_python_see_the_same_names() -> None:
    parsed = ast.parse(Path(nissl.__file__).read_text())
    typed = {
        alias.asname: node.module
        for block in parsed.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "nissl"  # `callbacks` is a room, not a name
        for alias in node.names
    }
    assert typed == nissl._HOMES
    assert sorted(nissl.__all__) == sorted(nissl._HOMES)
    assert set(nissl.__all__) < set(dir(nissl))


def test_version_is_the_installed_one() -> None:
    assert nissl.__version__ == importlib.metadata.version("nissl")


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"'recrod'; there are: Arrays, .*record"):
        nissl.recrod  # noqa: B018 - asking is the test


def test_every_kind_of_plug_in_is_listed() -> None:
    rooms = {folder.name for folder in Path(nissl.__file__).parent.iterdir() if (folder / "__init__.py").exists()}
    others = {"apps", "callbacks", "core", "scripts", "studies", "testing"}
    assert set(KINDS) == {room for room in rooms if not room.startswith("_")} - others
