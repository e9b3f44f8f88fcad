"""The picture of a report shows its numbers."""

import numpy as np
import pytest

from nissl.core.controls import Random, Sham
from nissl.core.curves import Curve, areas
from nissl.core.ground import Cut
from nissl.core.marks import Bars, Lines
from nissl.core.report import Report
from nissl.core.verdicts import Finding
from nissl.core.wholeness import Completeness, Minimality, Second
from nissl.testing.views import PictureSuite
from nissl.views.faithfulness import Faithfulness
from tests.views.seeing import of, words

NAN = float("nan")
RIVALS = ("contrast", "gradient_activation", "magnitude", "random", "selectivity")
LONG = "a class of a very long name, of the northern hemisphere in autumn"


def curve(name, bend, units, cut):
    shares = np.array(units) / units[-1]
    faithful = (0.0, *(shares[1:] ** bend).tolist())
    return Curve(name, units, faithful, *areas(shares, faithful), cut)


def report(*, target="3", total=200, judged=True, naive=RIVALS, held_out=True, known=True, steep=0.4, verdict=True):
    units = tuple(sorted({0, max(1, total // 100), max(1, total // 10), max(1, total // 2), total}))

    def cut(accuracy, others):
        lost = 1 - accuracy if known else NAN
        return Cut(2.0, lost, accuracy, others, "8", 0.01) if judged else Cut(2.0, lost)

    size = max(1, total // 10)
    alone = (size / total) ** steep if known else NAN
    drawn = tuple(np.linspace(0.02, 0.12, 20).tolist()) if known else (NAN,) * 20
    random = Random(20, 0.048, 0.048, 0.048, drawn, tuple(cut(0.9 - 0.01 * k, 0.93) for k in range(20)))
    own = curve("Secant(pairs=3)", steep, units, cut(0.05, 0.95))
    if not known:
        own = Curve(own.name, units, (0.0, *[NAN] * (len(units) - 2), 1.0), NAN, NAN, own.deleted)
    rivals = tuple(curve(name, 2 + k, units, cut(0.6 + 0.05 * k, 0.9)) for k, name in enumerate(naive))
    findings = tuple(Finding(word, verdict, "because") for word in ("necessary", "sufficient", "specific"))
    return Report(
        target, "logodds", size, total, held_out, 360, 400, 36, findings, cut(0.97, 0.96), cut(0.05, 0.95), {}, random,
        alone, own, rivals, (), Completeness(10, 0.1, 0.2), Minimality(5, size, 1.0, 0.01), Second(size, 0.1, 0.9), None,
        (Sham("shuffled labels", 0.4, cut(0.9, 0.92)),) if naive else (), (),
    )  # fmt: skip


class TestFaithfulness(PictureSuite):
    def pictures(self):
        for name, options in {
            "usual": {}, "no classes": {"judged": False}, "no rivals": {"naive": ()}, "one unit": {"total": 1},
            "flattered": {"held_out": False}, "unknown": {"known": False}, "long": {"target": LONG, "total": 100_000},
            "beyond": {"steep": -0.4}, "no word": {"verdict": False}, "many rivals": {"naive": RIVALS * 3},
        }.items():  # fmt: skip
            yield name, Faithfulness(report(**options)).describe()


def test_the_curve_goes_through_its_sizes_and_rivals_are_dashed():
    shown = report()
    lines = [mark for mark in of(Faithfulness(shown).describe(), Lines) if len(mark.points) == 4]
    own, rivals = [m for m in lines if not m.dashed], [m for m in lines if m.dashed]
    assert len(own) == 1 and len(rivals) == 5
    for mark, one in zip((*rivals, own[0]), (*shown.naive, shown.curve), strict=True):
        x = 80 + 640 * (np.log10(np.array(one.units[1:]) / 200) + 2) / 2
        np.testing.assert_allclose(mark.points, np.stack([x, 490 - 400 * (np.array(one.faithful[1:]) + 0.25) / 1.5], 1))


def test_areas_words_and_verdict_are_the_reports():
    shown = report()
    picture = Faithfulness(shown).describe()
    told = words(picture)
    for one in (shown.curve, *shown.naive):
        assert f"{one.cpr:.2f}" in told and f"{one.cmd:.2f}" in told
    assert picture.title == "Faithfulness of 3: necessary, sufficient and specific"
    assert f"CPR, the area under it, is {shown.curve.cpr:.3g}" in picture.caption
    assert f"CMD, the area between it and 1, {shown.curve.cmd:.3g}" in picture.caption
    assert "360 held-out examples, 36 of them for 3" in picture.caption
    assert "none of the words holds" in Faithfulness(report(verdict=False)).describe().title
    assert "flatters" in Faithfulness(report(held_out=False)).describe().caption


@pytest.mark.parametrize("judged", [True, False])
def test_bars_are_what_deletions_left(judged):
    shown = report(judged=judged)
    picture = Faithfulness(shown).describe()
    bars = [mark for mark in of(picture, Bars) if len(mark.boxes) == 2]
    cuts = [shown.intact, shown.deleted, shown.random.mean, *(r.deleted for r in shown.naive), shown.shams[0].deleted]
    values = [v for cut in cuts for v in ((cut.accuracy, cut.others) if judged else (cut.lost,))]
    np.testing.assert_allclose([mark.boxes[1, 2] / mark.boxes[0, 2] for mark in bars], values)
    assert f"{100 * values[1 + judged]:.1f} %" in words(picture)
    assert ("share of the work that is gone" in words(picture)) == (not judged)


def test_what_runs_off_the_scale_is_said():
    assert "run along the edge" in Faithfulness(report(steep=-0.4)).describe().caption
    assert "run along the edge" not in Faithfulness(report()).describe().caption
