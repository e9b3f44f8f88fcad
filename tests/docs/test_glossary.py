"""The glossary has every noun of the API, every kind of plug-in, and is in order."""

import re
from pathlib import Path

import nissl
from tests.house.rules import CONTRACTS

PAGE = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text()
TERMS = re.findall(r"^\*\*(.+)\*\*\n:   \S", PAGE, re.MULTILINE)


def said(name: str) -> str:
    """DataSet as one writes it."""
    return re.sub(r"(?<=[a-z])([A-Z])", r" \1", name).lower()


def test_every_noun_is_explained() -> None:
    known = {word.lower() for term in TERMS for word in term.split(", ")}
    nouns = [name for name in nissl.__all__ if name[0].isupper()]
    missing = {said(name) for name in [*nouns, *CONTRACTS.values()]}
    missing -= known | {f"{word}s" for word in known}
    assert not missing


def test_terms_are_in_order_and_said_once() -> None:
    assert len(TERMS) == PAGE.count("\n**")
    assert [term.lower() for term in TERMS] == sorted({term.lower() for term in TERMS})
