"""What leaves the house: the sdist and the wheels made from it hold all that nissl needs and nothing of this machine."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = (ROOT, Path.home(), Path(sys.prefix), Path(sys.base_prefix))
BESIDE = {"__pycache__", "nissl.egg-info"}
KERNEL = re.compile(r"nissl/adapters/_torch/_sums\.[\w.-]*(?:so|pyd)")
HOOK = "import sys; from setuptools import build_meta; getattr(build_meta, f'build_{sys.argv[1]}')(sys.argv[2])"


def build(kind: str, tree: Path, out: Path, **environment: str) -> Path:
    out.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", HOOK, kind, str(out)],
        cwd=tree, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (made,) = out.iterdir()
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("package")
    tree = place / "tree"
    shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns(*BESIDE, "*.so", "*.pyd"))
    for folder in ("docs", "examples", "benchmarks/results"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns(*BESIDE))
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, tree)
    return build("sdist", tree, place / "sdist")


def unpacked(sdist: Path, place: Path) -> Path:
    """A tree of its own, in which no earlier build has left anything."""
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    return place / sdist.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Made of what is in the sdist."""
    place = tmp_path_factory.mktemp("wheel")
    return contents(build("wheel", unpacked(sdist, place), place / "out"))


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def sources() -> set[str]:
    """All that the package is made of, but what is compiled and what it is compiled from."""
    files = (file.relative_to(ROOT / "src") for file in (ROOT / "src" / "nissl").rglob("*") if file.is_file())
    left_out = {".c", ".h", ".so", ".pyd"}
    return {f.as_posix() for f in files if f.suffix not in left_out and not BESIDE & set(f.parts)}


def test_the_wheel_is_the_package_its_kernel_and_its_papers(wheel: Mapping[str, bytes]) -> None:
    kernels = {name for name in wheel if KERNEL.fullmatch(name)}
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    assert len(kernels) == (shutil.which(compiler) is not None)
    papers = {name for name in wheel if ".dist-info/" in name}
    assert set(wheel) - kernels - papers == sources()
    assert {"nissl/py.typed", "nissl/data/_embedded/digits.npz", "nissl/testing/__init__.py"} <= set(wheel)
    (licence,) = (name for name in papers if name.endswith("/licenses/LICENSE"))
    assert wheel[licence] == (ROOT / "LICENSE").read_bytes()
    (points,) = (name for name in papers if name.endswith("/entry_points.txt"))
    assert b"nissl = nissl.apps.cli:main" in wheel[points]


def test_nothing_in_the_wheel_tells_where_it_was_made(wheel: Mapping[str, bytes], sdist: Path) -> None:
    places = [f"{place}/".encode() for place in (*PLACES, sdist.parents[1]) if place not in (Path("/"), Path("/usr"))]
    assert len(places) > 2
    assert [(name, place) for name, content in wheel.items() for place in places if place in content] == []


def test_the_sdist_has_what_a_builder_and_a_reader_need(sdist: Path, tmp_path: Path) -> None:
    tree = unpacked(sdist, tmp_path)
    files = {file.relative_to(tree).as_posix() for file in tree.rglob("*") if file.is_file()}
    kernel = {f"nissl/adapters/_torch/{name}" for name in ("_sums.c", "_kernel.h")}
    assert {f"src/{name}" for name in sources() | kernel} <= files
    assert {"setup.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "constraints.txt"} <= files
    assert not any(file.endswith((".so", ".pyd", ".pyc")) for file in files)


RELATIVE = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_what_an_index_shows_of_readme_points_nowhere_but_at_files_of_the_sdist(
    sdist: Path, wheel: Mapping[str, bytes], tmp_path: Path
) -> None:
    tree = unpacked(sdist, tmp_path)
    readme = (tree / "README.md").read_text()
    assert readme == (ROOT / "README.md").read_text()
    (metadata,) = (content.decode() for name, content in wheel.items() if name.endswith(".dist-info/METADATA"))
    headers, _, shown = metadata.partition("\n\n")
    assert "Description-Content-Type: text/markdown" in headers
    assert shown == (tree / "PKG-INFO").read_text().partition("\n\n")[2]
    assert not RELATIVE.search(shown)
    assert "![" not in shown
    for place in RELATIVE.findall(readme):
        assert (tree / place).is_file()
        assert f"`{place}`" in shown or place.endswith(".png"), place
    headings = re.findall(r"^#.*", readme, re.MULTILINE)
    assert re.findall(r"^#.*", shown, re.MULTILINE) == headings


def test_without_a_compiler_the_wheel_lacks_the_kernel_alone_and_works(
    sdist: Path, wheel: Mapping[str, bytes], tmp_path: Path
) -> None:
    plain = build("wheel", unpacked(sdist, tmp_path), tmp_path / "out", CC="false")
    assert set(wheel) - set(contents(plain)) == {name for name in wheel if KERNEL.fullmatch(name)}
    (empty := tmp_path / "empty").mkdir()
    with zipfile.ZipFile(plain) as archive:
        archive.extractall(empty / "installed")
    asks = "import nissl; from nissl.adapters._torch.sums import backend; print(nissl.__file__, backend(), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", asks],
        cwd=empty, env={**os.environ, "PYTHONPATH": "installed"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    where, engine = done.stdout.splitlines()
    assert Path(where).is_relative_to(empty)
    assert engine == "eager (the kernel was not built)"
