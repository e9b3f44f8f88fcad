"""Every measure of the folder keeps to the contract, as it is and with each of its options."""

from dataclasses import dataclass

import numpy as np
import pytest

from nissl import plugins
from nissl.core.profile import Profile
from nissl.testing.profiles import ProfileSuite

MADE = [plugins.load("profiles", name)() for name in plugins.names("profiles")]
CONTRAST = plugins.load("profiles", "contrast")
MADE += [CONTRAST("all"), CONTRAST("each"), CONTRAST(weights="size"), CONTRAST("all", "size")]
MADE += [plugins.load("profiles", "effect")("all", "size"), plugins.load("profiles", "interval")(of="contrast")]
MADE += [plugins.load("profiles", "significance")("each"), plugins.load("profiles", "significance")(correction="none")]


@pytest.mark.parametrize("made", MADE, ids=repr, scope="class")
class TestProfiles(ProfileSuite):
    @pytest.fixture(autouse=True)
    def _given(self, made):
        type(self).made = made  # on the class: hypothesis makes no fixture's instance anew

    def profile(self):
        return self.made


@dataclass(frozen=True)
class Ranked(Profile):
    """A unit's place among the units: what no part of a layer can tell."""

    @property
    def gives(self):
        return {"rank": ()}

    def measure(self, responses):
        mean = responses["mean"].sum(-1)
        return (mean.argsort(-1).argsort(-1).astype(mean.dtype),)


@dataclass(frozen=True)
class Forgetful(Ranked):
    """Takes a class that was not seen for one that was answered with zero."""

    def measure(self, responses):
        return (np.nan_to_num(responses["mean"]).mean(-1),)


@pytest.mark.parametrize(("bad", "test"), [
    (Ranked, "each_unit_is_measured_for_itself"), (Forgetful, "a_class_that_was_not_seen_is_as_if_it_did_not_exist"),
    (Forgetful, "silence_and_what_was_never_heard_are_no_error"),
])  # fmt: skip
def test_the_suite_catches(bad, test):
    suite = ProfileSuite()
    suite.profile = bad
    with pytest.raises(AssertionError):
        getattr(suite, f"test_{test}")()
