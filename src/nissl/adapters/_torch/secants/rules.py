"""Which rule tells the secant of which operation."""

from collections.abc import Callable

from nissl.adapters._torch.secants.chords import ELEMENTWISE, chord, gate
from nissl.adapters._torch.secants.maxima import MAXIMA, maximum
from nissl.adapters._torch.secants.norms import NORMS, norm
from nissl.adapters._torch.secants.pairs import Pair, Slopes
from nissl.adapters._torch.secants.products import BILINEAR, QUADRATIC, halfway, larger, length, quotient, unknown
from nissl.adapters._torch.secants.softmaxes import SOFTMAXES, softmax

Rule = Callable[[Pair, Slopes, Slopes], Slopes]
"""From the pair, autograd's own slopes of the arguments, and those of the results: mean slopes of the arguments."""
_RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, chord),
    **dict.fromkeys(QUADRATIC, halfway),
    **dict.fromkeys(SOFTMAXES, softmax),
    **dict.fromkeys(NORMS, norm),
    **dict.fromkeys(MAXIMA, maximum),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), larger),
    **dict.fromkeys(("std", "linalg_vector_norm"), length),
    "div": quotient,
    "glu": gate,
}


def rule(pair: Pair) -> Rule | None:
    """None where autograd's own slopes are the secant's: the two inputs differ only in what it is linear in."""
    name, differing = pair.here.name, pair.differing
    if not differing or (name in BILINEAR and len(differing) < 2):
        return None
    if name == "div" and 1 not in differing and not pair.here.kwargs.get("rounding_mode"):
        return None
    if name == "native_batch_norm" and not pair.here.args[5]:  # by running statistics
        return None
    if name in ELEMENTWISE and differing != [0]:
        return unknown
    return _RULES.get(name, unknown)
