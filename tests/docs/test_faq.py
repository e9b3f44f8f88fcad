"""Every message that the page of errors quotes is one that the code says, and its error is the one that is named."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nissl import errors

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faq.md").read_text()
QUOTED = re.findall(r"^(?:`(?=[^`])|``)(.+?)`{1,2}\n:   \*([^*]+?)\.\*", PAGE, re.MULTILINE)
KINDS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}


def template(node: ast.expr) -> str:
    """A message as a pattern: what is put in may be anything."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) for part in node.values)
    return "(.*)"


def said(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(error, message) of all that a module raises and warns; of what a function or a variable holds, the error is not known."""
    nodes = list(ast.walk(tree))
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.args]
    told = [(ast.unparse(call.func).rpartition(".")[2], call.args[0]) for call in calls]
    told = [(kind, node) for kind, node in told if kind in KINDS or kind.endswith("warn")]
    names = {word for _, node in told for word in re.findall(r"\w+", ast.unparse(node))}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in names:
            told.append(("", node.value))
        if isinstance(node, ast.FunctionDef) and node.name in names:
            told += [("", part.value) for part in ast.walk(node) if isinstance(part, ast.Return) and part.value]
    return ((kind, template(node)) for kind, node in told)


@cache
def templates() -> list[tuple[str, str]]:
    """Of all that the package raises and warns; of a message that is all put together nothing could be told."""
    files = sorted((ROOT / "src" / "nissl").rglob("*.py"))
    found = [one for file in files for one in said(ast.parse(file.read_text()))]
    return [one for one in found if len(one[1].replace("(.*)", "")) > 20]


def sources(message: str) -> set[str]:
    """Which errors say so."""
    plain = re.escape(message)
    likely = [(kind, one) for kind, one in templates() if max(one.split("(.*)"), key=len) in plain]
    return {kind for kind, one in likely if re.fullmatch(one, message, re.DOTALL)}


@pytest.mark.parametrize(("message", "kind"), QUOTED, ids=[message[:40] for message, _ in QUOTED])
def test_a_quoted_message_is_one_that_the_code_says(message: str, kind: str) -> None:
    assert kind in KINDS or kind.startswith("A warning")
    assert sources(message) & {kind if kind in KINDS else "warn", ""}


def test_messages_are_found_and_others_are_not() -> None:
    assert len(QUOTED) == PAGE.count("\n:   *") > 30
    assert len(templates()) > 500
    assert sources("There is a trace at runs/a already: pass resume=True to go on with it, or overwrite=True.") == {
        "TraceExists"
    }
    assert not sources("There is a trace at runs/a already: pass resume=True, or overwrite=True.")
