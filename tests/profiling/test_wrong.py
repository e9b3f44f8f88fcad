"""What `nissl.profile` refuses, and what it says to do."""

import functools

import numpy as np
import pytest

import nissl
from nissl.errors import BadValue, NotHeard, OverBudget, UnknownName
from tests.profiling.brute import X, Y, cnn

profile = functools.partial(nissl.profile, progress=False)
WRONG = {
    "word": (lambda: profile(cnn(), (X, Y), "labels"), UnknownName, "Did you mean 'label'"),
    "no labels": (lambda: profile(cnn(), X), BadValue, "groups='prediction'"),
    "short": (lambda: profile(cnn(), X, Y[:50]), BadValue, "50 values for more than 50"),
    "long": (lambda: profile(cnn(), X[:50], Y), BadValue, "60 values for 50"),
    "fractions": (lambda: profile(cnn(), (X, Y), np.linspace(0, 1, 500)), BadValue, "np.digitize"),
    "twice": (lambda: profile(cnn(), (X, Y), ["label", "label"]), BadValue, "with itself"),
    "values": (lambda: profile(cnn(), (X, np.linspace(0, 1, 60))), BadValue, "values, and no classes"),
    "several": (lambda: profile(cnn(), (X, np.ones((60, 4), int))), BadValue, "several classes for each"),
    "beyond": (lambda: profile(cnn(), (X, Y + 2)), BadValue, "labels up to 5"),
    "missing": (lambda: profile(cnn(), X, [None] * 60), BadValue, "no example is in a group"),
    "empty": (lambda: profile(cnn(), (X[:0], Y[:0])), BadValue, "empty"),
    "align": (lambda: profile(cnn(), (X, Y), align="both"), BadValue, "prediction"),
    "align by none": (lambda: profile(cnn(), X, Y, align="label"), BadValue, "needs labels"),
    "batch": (lambda: profile(cnn(), (X, Y), batch=0), BadValue, "batch=0"),
    "memory": (lambda: profile(cnn(), (X, Y), memory="10kB"), OverBudget, "positions=False"),
    "layer": (lambda: profile(cnn(), (X, Y), layers="conv"), UnknownName, "The layers are"),
    "uneven": (lambda: profile(cnn(), (X, Y[:50])), BadValue, "one label for each"),
    "table": (lambda: profile(cnn(), X, X), BadValue, "one value for each example"),
    "slopes": (
        lambda: profile({"one": X}, np.arange(60), Y, align=True, layers="one"), NotHeard, "predicts nothing|gradients=",
    ),
    "no such layer": (lambda: profile(cnn(), (X, Y))["1"], UnknownName, "There is no profile of '1'"),
    "no such group": (lambda: profile(cnn(), (X, Y)).only(["9"]), UnknownName, "no group '9'"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_meant_says_what_to_do(wrong):
    call, error, match = WRONG[wrong]
    with pytest.raises(error, match=match):
        call()
