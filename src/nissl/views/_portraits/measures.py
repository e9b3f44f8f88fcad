"""What stands below a portrait, and what it means."""

from nissl.core.portraits import Portraits
from nissl.views._staining.lettering import number

SCORES = {
    "match": "minus the share of the layer's answer that is missing",
    "energy": "the mean square of the layer's values",
    "closeness": "minus the mean squared distance of the outputs from the vector",
    "activation": "the unit's mean over all positions, or in the middle where that was asked for",
}


def share(value: float) -> str:
    """Three digits, and never 1 for what is less."""
    return "> .999" if 0.9995 <= value < 1 else f"{value:.3f}".replace("0.", ".", 1)


def lines(shown: Portraits) -> list[list[str]]:
    """For each portrait, the most important first."""
    told: list[list[str]] = [[] for _ in shown.targets]
    for words, values in (("p", shown.probabilities), ("judge", shown.judged)):
        for k, value in enumerate([] if values is None else values):
            told[k].append(f"{words} {share(float(value))}")
    for k, score in enumerate(shown.scores):
        told[k].append(f"{shown.metric} {number(float(score))}")
    for k, value in enumerate([] if shown.realism is None else shown.realism):
        told[k].append(f"realism {value:.2f}".replace("0.", "."))
    return told


def brief(shown: Portraits, k: int) -> str:
    """The one number that matters most."""
    return lines(shown)[k][0]


def meaning(shown: Portraits) -> str:
    """What the numbers are, as one clause."""
    said = [] if shown.probabilities is None else ["p, the probability that the network gives the class"]
    if shown.judged is not None:
        said.append("judge, that of another network, which had no part in the drawing")
    said.append(f"{shown.metric}, {SCORES.get(shown.metric, 'the score that was to rise')}")
    if shown.realism is not None:
        said.append(
            "realism, the share of real inputs that are as far from their nearest, or farther, in the last layer before the "
            "outputs (.5 is usual, 0 stranger than all)"
        )
    return f"below: {'; '.join(said)}"


def called(name: str) -> str:
    """A target's name on one line."""
    return " ".join(name.split()) or "?"
