"""The rules of the house, each a function over a source tree that says what breaks it.

`test_rules.py` holds the package to them, and proves on planted trees that each of them bites.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

LINES, FUNCTION_LINES = 300, 40
SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc", "base", "shared", "stuff"}
CONTRACTS = {
    "adapters": "Network",
    "quantities": "Quantity",
    "stores": "Store",
    "data": "DataSet",
    "models": "Blueprint",
    "views": "View",
    "canvases": "Canvas",
    "callbacks": "Loop",
    "scripts": "Script",
    "profiles": "Profile",
    "attribution": "Method",
    "finders": "Finder",
    "interventions": "Intervention",
    "layouts": "Layout",
}
"""The rooms that hold plug-ins, and what their classes are."""
GRANTED = {
    "adapters/_torch/operators.py: _listeners": "a compiled graph holds no Python object; entries end with their `with`",
}
"""Global state that there is no way around, and why."""
ROOMS = {"core", "studies", "apps", "testing", *CONTRACTS}


def long_files(tree: Path) -> Iterator[str]:
    for file in sorted(file for ending in ("*.py", "*.c", "*.h") for file in tree.rglob(ending)):
        lines = len(file.read_text().splitlines())
        if lines > LINES:
            yield f"{file.relative_to(tree)}: {lines} lines"


def long_functions(tree: Path) -> Iterator[str]:
    for file, parsed in _modules(tree):
        for node in ast.walk(parsed):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{file.relative_to(tree)}: {node.name} has {lines} lines"


def empty_names(tree: Path) -> Iterator[str]:
    for path in sorted(tree.rglob("*")):
        if path.stem.strip("_") in SAY_NOTHING:
            yield f"{path.relative_to(tree)}: a name that says nothing"


def unknown_rooms(package: Path) -> Iterator[str]:
    """A new room must say in CONTRACTS whether it holds plug-ins."""
    for folder in sorted(package.iterdir()):
        if folder.is_dir() and any(folder.glob("*.py")) and folder.name not in ROOMS:
            yield f"{folder.name}: a room that tests/house/rules.py does not know"


def odd_plugins(package: Path) -> Iterator[str]:
    """A plug-in file holds one public class, named like the file, whose direct parents include the contract, or a kind of it (TraceView)."""
    for file, contract, parsed in _plugins(package):
        public = [node for node in parsed.body if _defines(node) and not node.name.startswith("_")]
        wanted = "".join(word.capitalize() for word in file.stem.split("_"))
        if [node.name for node in public] != [wanted]:
            yield f"{file.relative_to(package)}: {[node.name for node in public]} is public, not {wanted} alone"
        elif not isinstance(public[0], ast.ClassDef) or not any(p.endswith(contract) for p in _parents(public[0])):
            yield f"{file.relative_to(package)}: no direct parent of {wanted} is {contract}"


def knowing_neighbours(package: Path) -> Iterator[str]:
    """A plug-in file imports none of its neighbours, only private rooms beside it."""
    for file, _, parsed in _plugins(package):
        for module, names in _imports(parsed):
            for full in [f"{module}.{name}" for name in names] or [module]:
                parts = full.split(".")
                if parts[:2] == ["nissl", file.parent.name] and len(parts) > 2 and not parts[2].startswith("_"):
                    yield f"{file.relative_to(package)}: imports {full}"


def side_effects(package: Path) -> Iterator[str]:
    """A module's own level holds definitions only: importing it does nothing, and nothing global can be rebound."""
    for file, parsed in _modules(package):
        where = file.relative_to(package)
        if file.name in ("__main__.py", "sitecustomize.py"):
            continue  # what `python -m` runs, and what Python imports in order to run it
        for node in _top(parsed.body):
            if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
                yield f"{where}:{node.lineno}: does something when imported"
            if isinstance(node, ast.For | ast.While | ast.With | ast.AugAssign | ast.Delete):
                yield f"{where}:{node.lineno}: does something when imported"
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, _MUTABLE):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for name in map(ast.unparse, targets):
                    constant = re.fullmatch(r"_?[A-Z0-9_]+|__\w+__", name)
                    if not constant and f"{where.as_posix()}: {name}" not in GRANTED:
                        yield f"{where}:{node.lineno}: {name} is global state; a constant is written large"
        for inner in ast.walk(parsed):
            if isinstance(inner, ast.Global):
                yield f"{where}:{inner.lineno}: global {', '.join(inner.names)}"


def _quick(node: ast.AST) -> bool:
    """The option itself, or what gives it to benchmarks in groups, and to those in a browser."""
    if isinstance(node, ast.ImportFrom):
        return node.module in ("_grouped", "benchmarks._viewer.browsed")
    return isinstance(node, ast.Constant) and node.value == "--quick"


def slow_benchmarks(tree: Path) -> Iterator[str]:
    """`make bench` runs every script of the folder with --quick."""
    for file, parsed in _modules(tree):
        runs = any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in parsed.body)
        if runs and not any(_quick(node) for node in ast.walk(parsed)):
            yield f"{file.relative_to(tree)}: does not take --quick"


def tracked_traces(files: Iterable[Path], root: Path, places: Iterable[str] = ()) -> Iterator[str]:
    """Nothing tracked tells where it was made: no lock file, no registry's address, no path of a machine, nothing undone."""
    patterns = [_LEFT, _INDEX, _HOME, *map(re.escape, places)]
    telling = re.compile("|".join(patterns))
    for file in files:
        if re.fullmatch(r"(uv|poetry|Pipfile|pdm)\.lock|pylock.*\.toml|package-lock\.json", file.name):
            yield f"{file.relative_to(root)}: a lock file records where things were downloaded from"
            continue
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if found := telling.search(line):
                yield f"{file.relative_to(root)}:{number}: {found[0]}"


_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
# a letter in brackets keeps these lines from matching themselves
_LEFT = r"\b(?:TOD[O]|FIXM[E]|XX[X])\b"
_INDEX = r"(?:extra-)?index-ur[l]|find-link[s]|registry *= *\S|/simpl[e]/"
_HOME = r"(?<![\w.~])/(?:home|Users|root|work|opt|mnt)/\w[\w./-]*"


def _modules(tree: Path) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(tree.rglob("*.py")):
        yield file, ast.parse(file.read_text(), str(file))


def _plugins(package: Path) -> Iterator[tuple[Path, str, ast.Module]]:
    for room, contract in CONTRACTS.items():
        for file in sorted((package / room).glob("*.py")):
            if not file.name.startswith("_"):
                yield file, contract, ast.parse(file.read_text(), str(file))


def _defines(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)


def _parents(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(parent).split(".")[-1].split("[")[0] for parent in node.bases]


def _imports(parsed: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(parsed):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "", [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import, also those under `if` and `try`."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _top(node.body)
