"""How much room words take, near enough to lay them out without a painter, and never too little."""

from collections.abc import Iterable
from dataclasses import replace

from nissl.core.marks import Text
from nissl.errors import plural

__all__ = ["counted", "fitted", "layer", "listed", "number", "plural", "sentences", "spelled", "width"]

_WIDTHS = {"il.,:;|!'j": 0.34, "ft()[]r- /": 0.45, "mwMW@%": 1.0, "−·": 0.84}
_BY_LETTER = {letter: share for letters, share in _WIDTHS.items() for letter in letters}


def width(words: str, size: float, *, bold: bool = False) -> float:
    """The width of a line in a broad sans serif."""
    shares = (_BY_LETTER.get(letter, 0.72 if letter.isupper() else 0.64) for letter in words)
    return size * sum(shares) * (1.1 if bold else 1.0)


def fitted(text: Text, room: float, *, keep_end: bool = False) -> Text:
    """The text, shortened with an ellipsis until it fits: names of layers keep their end, others both their ends."""
    kept = len(text.words)
    words = text.words
    while kept > 1 and width(text.words, text.size, bold=text.bold) > room:
        kept -= 1
        start = 0 if keep_end else (kept + 1) // 2
        text = replace(text, words=words[:start] + "…" + words[len(words) - kept + start :])
    return text


def number(value: float) -> str:
    """Three digits, and no more letters than they need."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 or value == int(value) else f"{value:.3g}" if size >= 1e-3 else f"{value:.1e}"


def counted(shown: int, there: int, thing: str) -> str:
    """'n of N things shown', or that all are."""
    if shown == there:
        return f"all {there:,} {thing}s shown" if there > 1 else f"its one {thing} shown"
    return f"{shown:,} of {plural(there, thing)} shown"


def spelled(count: int) -> str:
    """Small numbers as words."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if count < len(words) else f"{count:,}"


def listed(names: Iterable[str]) -> str:
    """'a, b and c'."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def layer(name: str) -> str:
    """A layer's name within a sentence; one that is but a number says what it is."""
    return name if any(letter.isalpha() for letter in name) else f'layer "{name}"'


def sentences(said: Iterable[str]) -> str:
    """Clauses as sentences."""
    return " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in said)
