"""The package keeps the rules, and every rule catches what it is there for."""

import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.house import rules

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "nissl"
TREES = {
    "package": (PACKAGE, [rules.unknown_rooms, rules.odd_plugins, rules.knowing_neighbours, rules.side_effects]),
    **{
        name: (ROOT / name, [rules.long_files, rules.long_functions, rules.empty_names])
        for name in ("src", "tests", "benchmarks", "docs", "examples")
    },
}
TREES["figures"] = (ROOT / "benchmarks", [rules.slow_benchmarks])
CHECKS = [(rule, tree) for tree, wanted in TREES.values() for rule in wanted if tree.exists()]


@pytest.mark.parametrize(("rule", "tree"), CHECKS, ids=[f"{rule.__name__}-{tree.name}" for rule, tree in CHECKS])
def test_kept(rule: Callable[[Path], Iterable[str]], tree: Path) -> None:
    assert list(rule(tree)) == []


def test_nothing_tracked_tells_where_it_was_made() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], check=False, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    assert len(files) > 20
    assert list(rules.tracked_traces(files, ROOT, [f"{ROOT}/", f"{Path.home()}/"])) == []


ENOUGH = "    pass\n" * rules.FUNCTION_LINES
PLUGIN = "from nissl.core.layout import Layout\n\n\nclass {name}({parent}):\n    pass\n"
PLANTS = {
    "a file of 301 lines": (rules.long_files, "core/long.py", "x = 1\n" * 301),
    "C counts too": (rules.long_files, "adapters/_torch/long.c", "int x;\n" * 301),
    "a function of 41 lines": (rules.long_functions, "core/long.py", f"def long():\n{ENOUGH}"),
    "a method of 41 lines": (
        rules.long_functions,
        "core/long.py",
        f"class C:\n    async def long(self):\n{ENOUGH.replace('    ', '        ')}",
    ),
    "utils": (rules.empty_names, "core/utils.py", ""),
    "a folder of helpers": (rules.empty_names, "stores/_helpers/io.py", ""),
    "a room nobody announced": (rules.unknown_rooms, "sundries/thing.py", ""),
    "a class not named like its file": (
        rules.odd_plugins,
        "quantities/ring.py",
        PLUGIN.format(name="Disc", parent="Quantity"),
    ),
    "two public classes": (
        rules.odd_plugins,
        "quantities/ring.py",
        PLUGIN.format(name="Ring", parent="Quantity") + PLUGIN.format(name="Disc", parent="Quantity"),
    ),
    "a public function beside the class": (
        rules.odd_plugins,
        "stores/ring.py",
        PLUGIN.format(name="Ring", parent="Store") + "def ring():\n    pass\n",
    ),
    "no class at all": (rules.odd_plugins, "data/ring.py", ""),
    "a grandchild of the contract": (rules.odd_plugins, "adapters/ring.py", PLUGIN.format(name="Ring", parent="Torch")),
    "no parent": (rules.odd_plugins, "models/ring.py", "class Ring:\n    pass\n"),
    "a neighbour": (rules.knowing_neighbours, "stores/ring.py", "from nissl.stores.disk import Disk\n"),
    "a neighbour as a module": (
        rules.knowing_neighbours,
        "stores/ring.py",
        "def f():\n    from nissl.stores import disk\n",
    ),
    "a neighbour by its full name": (rules.knowing_neighbours, "data/ring.py", "import nissl.data.digits\n"),
    "a call on import": (rules.side_effects, "core/loud.py", "print('here')\n"),
    "a hidden call on import": (
        rules.side_effects,
        "core/loud.py",
        "try:\n    register(1)\nexcept Exception:\n    pass\n",
    ),
    "a loop on import": (rules.side_effects, "core/loud.py", "for x in ():\n    pass\n"),
    "a benchmark that is never quick": (
        rules.slow_benchmarks,
        "core/slow.py",
        "if __name__ == '__main__':\n    main()\n",
    ),
    "a global": (rules.side_effects, "core/loud.py", "def f():\n    global state\n    state = 1\n"),
    "a global container": (rules.side_effects, "core/loud.py", "seen = []\n"),
    "an annotated global container": (rules.side_effects, "core/loud.py", "cache: dict[str, int] = {}\n"),
}


@pytest.mark.parametrize(("rule", "place", "text"), PLANTS.values(), ids=PLANTS)
def test_a_planted_fault_is_caught(
    rule: Callable[[Path], Iterable[str]], place: str, text: str, tmp_path: Path
) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert len(list(rule(tmp_path))) == 1


GOOD = '''"""Fine."""

from typing import TYPE_CHECKING

from nissl.core.quantity import Quantity
from nissl.quantities._rings import inner

if TYPE_CHECKING:
    import torch

WORDS = {"a": 1}


class GoldRing(Quantity):
    """Fine."""

    def read(self) -> int:
        return inner()


def _private() -> None: ...
'''


def test_what_is_right_passes(tmp_path: Path) -> None:
    file = tmp_path / "quantities" / "gold_ring.py"
    file.parent.mkdir()
    file.write_text(GOOD)
    assert [found for _, wanted in TREES.values() for rule in wanted for found in rule(tmp_path)] == []


LEFT = "TO" + "DO"
HOME = "/" + "home/ada/nissl"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", ""),
        ("pylock.dev.toml", ""),
        ("notes.md", f"{LEFT}: later\n"),
        ("code.c", f"/* {LEFT} */\n"),
        ("run.sh", f"cd {HOME}\n"),
        ("setup.cfg", "index" + "-url = https://mirror.example\n"),
        ("notes.md", "see https://mirror.example/pypi/simple" + "/numpy\n"),
        ("notes.md", "made in /somewhere/else/\n"),
    ],
)
def test_a_telling_trace_is_caught(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert len(list(rules.tracked_traces([file], tmp_path, ["/somewhere/else/"]))) == 1


def test_an_innocent_file_tells_nothing(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("Pictures go to results/; see https://example.org/home/page and ~/work/runs or runs/home/x.\n")
    assert list(rules.tracked_traces([file], tmp_path)) == []
