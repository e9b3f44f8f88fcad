"""import-linter holds the direction of imports; each contract catches a fault planted in a copy of the package."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
NOTHING = ""
PLANTS = [
    (
        "direction",
        {"core/planted.py": "from nissl.adapters import planted\n", "adapters/planted.py": NOTHING},
        "core.planted",
    ),
    ("direction", {"plugins.py": "import nissl.core.layer\n"}, "nissl.plugins -> nissl.core.layer"),
    (
        "direction",
        {"stores/planted.py": "import nissl.quantities.planted\n", "quantities/planted.py": NOTHING},
        "nissl.stores.planted -> nissl.quantities.planted",
    ),
    (
        "direction",
        {"data/planted.py": "def f():\n    import nissl.views.planted\n", "views/planted.py": NOTHING},
        "nissl.data.planted -> nissl.views.planted",
    ),
    (
        "direction",
        {"core/planted.py": "import nissl.testing.planted\n", "testing/planted.py": NOTHING},
        "nissl.core.planted -> nissl.testing.planted",
    ),
    ("direction", {"unannounced/planted.py": NOTHING}, "unannounced"),
    ("frameworks", {"core/planted.py": "def f():\n    import torch.nn\n"}, "nissl.core.planted -> torch"),
    ("frameworks", {"quantities/planted.py": "from jax import numpy\n"}, "nissl.quantities.planted -> jax"),
    ("frameworks", {"apps/planted.py": "import keras\n"}, "nissl.apps.planted -> keras"),
    ("core", {"core/planted.py": "def f():\n    import zarr\n"}, "nissl.core.planted -> zarr"),
    ("root", {"core/planted.py": "from nissl import network\n"}, "nissl.core.planted -> nissl"),
    ("root", {"quantities/_planted/deep.py": "import nissl\n"}, "nissl.quantities._planted.deep -> nissl"),
    ("cycles", {"core/a.py": "import nissl.core.b\n", "core/b.py": "def f():\n    import nissl.core.a\n"}, ".b -> .a"),
]


def lint(source: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo", *options],
        cwd=source.parent,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_package_keeps_every_contract() -> None:
    done = lint(ROOT / "src")
    assert done.returncode == 0, done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(("contract", "files", "seen"), PLANTS, ids=[f"{c}-{min(files)}" for c, files, _ in PLANTS])
def test_a_planted_import_is_caught(contract: str, files: dict[str, str], seen: str, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "src" / "nissl", tmp_path / "src" / "nissl", ignore=shutil.ignore_patterns("__pycache__", "*.so")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in files.items():
        file = tmp_path / "src" / "nissl" / name
        for folder in (file.parent, file.parent.parent):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").touch()
        file.write_text(text)
    done = lint(tmp_path / "src", "--contract", contract)
    name = next(c["name"] for c in CONTRACTS if c["id"] == contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{name} BROKEN" in " ".join(done.stdout.split())
    assert seen in done.stdout


def test_every_contract_has_a_planted_fault() -> None:
    assert {contract for contract, *_ in PLANTS} == {contract["id"] for contract in CONTRACTS}
