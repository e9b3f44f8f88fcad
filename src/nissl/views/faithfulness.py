"""How well a structure stands for what it is the structure of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nissl.core.curves import Curve
from nissl.core.ground import Cut
from nissl.core.marks import Bars, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED, STAIN10
from nissl.core.report import Report
from nissl.core.view import Picture, View
from nissl.views._plots.panel import Panel
from nissl.views._staining.lettering import fitted, listed, number, plural, sentences

LOW, HIGH = -0.25, 1.25
"""What of the work is drawn; beyond it a curve runs along the edge."""
OWN, RIVALS = STAIN10[0], (STAIN10[1], STAIN10[3], STAIN10[4], STAIN10[2], STAIN10[7], STAIN10[6])
LEFT, LONG = 1240.0, 260.0


@dataclass(frozen=True)
class Faithfulness(View):
    """What the first units of a ranking do alone, at every size, and what deleting the structure leaves; beside controls."""

    report: Report

    def describe(self) -> Picture:
        report = self.report
        rows = _rows(report)
        marks = [*_curves(report), *_deletions(report, rows)]
        high = max(620.0 + 26 * (1 + len(report.naive)), 150.0 + 44 * len(rows))
        words = listed(report.verdict) if report.verdict else "none of the words holds"
        name = fitted(Text(0, 0, report.target, 20), 500).words
        return Picture(f"Faithfulness of {name}: {words}", self._caption(), 1600, high, tuple(marks))

    def _caption(self) -> str:
        report, curve = self.report, self.report.curve
        where = "held-out examples" if report.held_out else "the examples that it was found with, which flatters it"
        others = [report.random.mean.others] if np.isfinite(report.random.mean.others) else []
        said = [
            (
                "Left: the share of the network's work that the first units of a ranking do alone, all others held at their means; "
                "0 by none and 1 by all are by definition"
            ),
            (
                f"CPR, the area under it, is {_told(curve.cpr)} (more is better), CMD, the area between it and 1, {_told(curve.cmd)} "
                "(less is better)"
            ),
            f"the structure's {plural(report.units, 'unit')} of {report.total:,} do {_told(report.alone)} of it",
            (
                f"random units of the same layers do as much with p = {report.random.p_alone:.3f}, and cost as much when deleted with "
                f"p = {report.random.p_lost:.3f} ({report.random.draws} draws; shown are mean and range)"
            ),
            "right: what is recognised after deletions"
            if others
            else "right: what share of the work is gone after deletions",
            f"the work is {_name(report.aim).replace('logodds', 'log-odds')} on {report.examples:,} {where}, {report.asked:,} of them for {report.target}",
        ]
        if _outside(report):
            said.append(f"curves beyond {LOW:g} or {HIGH:g} run along the edge")
        said.append("dashed are methods that only describe activity" if report.naive else "no naive methods were tried")
        return sentences(said)


def _told(value: float) -> str:
    return number(value) if np.isfinite(value) else "not known"


def _outside(report: Report) -> bool:
    return any(value < LOW or value > HIGH for one in (report.curve, *report.naive) for value in one.faithful)


def _curves(report: Report) -> list[Mark]:
    """Curves over sizes on a scale of powers, random draws at the structure's size, and a table of areas beneath."""
    least = np.log10(min(count for count in report.curve.units if count) / report.total)
    panel = Panel(80, 90, 640, 400, (min(least, -1.0), 0.0), (LOW, HIGH))
    ticks = (-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
    marks: list[Mark] = [
        *panel.title("work done alone", "by the first units of a ranking, as a share of the network's"),
        *panel.y_ticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks]),
    ]
    for share in (0.001, 0.01, 0.1, 1.0):
        if np.log10(share) >= panel.x[0] - 1e-9:
            x, bottom = float(panel.at(np.log10(share), 0)[0]), panel.top + panel.height
            marks.append(Lines(np.array([[x, bottom + 4], [x, bottom + 11]]), MUTED, 1.2))
            marks.append(Text(x, bottom + 25, f"{100 * share:g} %", 16, "center", colour=MUTED))
    marks.append(
        Text(
            panel.left + panel.width / 2,
            panel.top + panel.height + 50,
            "share of all units",
            16,
            "center",
            colour=MUTED,
        )
    )
    drawn = [(one, RIVALS[place % len(RIVALS)], 2.0) for place, one in enumerate(report.naive)]
    for one, colour, wide in [*drawn, (report.curve, OWN, 4.0)]:
        marks += _line(panel, one, report.total, colour, wide)
    return marks + _random(panel, report) + _areas([(report.curve, OWN), *((one, c) for one, c, _ in drawn)])


def _line(panel: Panel, one: Curve, total: int, colour: str, wide: float) -> list[Mark]:
    pairs = zip(one.units, one.faithful, strict=True)
    seen = [(np.log10(count / total), value) for count, value in pairs if count and np.isfinite(value)]
    x, y = np.array(seen).reshape(-1, 2).T
    return [Lines(panel.at(x, np.clip(y, LOW, HIGH)), colour, wide, dashed=wide < 3)] if seen else []


def _random(panel: Panel, report: Report) -> list[Mark]:
    """Mean and range of the random draws, and the structure itself, at its size."""
    x = np.log10(max(report.units, 1) / report.total)
    drawn = np.array(report.random.alone)
    if not np.isfinite([report.alone, *drawn]).all():
        return []
    low, mean, high, own = np.clip([drawn.min(), drawn.mean(), drawn.max(), report.alone], LOW, HIGH)
    where = panel.at([x], [mean])[0]
    left = where[0] > panel.left + panel.width / 2
    said = Text(
        where[0] + (-14 if left else 14), where[1] + 16, "random units: mean and range", 15, "right" if left else "left", colour=MUTED
    )  # fmt: skip
    return [
        Lines(panel.at([x, x], [low, high]), MUTED, 2.4), Lines(panel.at([x], [mean]), MUTED, 3.2),
        Lines(panel.at([x], [own]), OWN, 4.2), said,
    ]  # fmt: skip


def _areas(drawn: Sequence[tuple[Curve, str]]) -> list[Mark]:
    """Which line is which, with its areas."""
    marks: list[Mark] = [Text(x, 570, words, 16, "right", colour=MUTED) for x, words in ((620, "CPR"), (720, "CMD"))]
    for place, (one, colour) in enumerate(drawn):
        y, own = 598 + 26 * place, place == 0
        marks.append(Lines(np.array([[80, y], [114, y]]), colour, 4.0 if own else 2.0, dashed=not own))
        name = f"the structure, by {_name(one.name)}" if own else _name(one.name)
        marks.append(fitted(Text(126, y, name, 16, bold=own, colour=INK), 420))
        for x, value in ((620, one.cpr), (720, one.cmd)):
            told = f"{value:.2f}" if np.isfinite(value) else "–"
            marks.append(Text(x, y, told, 16, "right", bold=own, colour=INK if own else MUTED))
    return marks


def _name(method: str) -> str:
    return method.split("(", maxsplit=1)[0].replace("_", " ")


def _rows(report: Report) -> list[tuple[str, Cut]]:
    return [
        ("nothing", report.intact),
        ("the structure", report.deleted),
        (f"random, mean of {report.random.draws}", report.random.mean),
        *((f"as many by {_name(rival.name)}", rival.deleted) for rival in report.naive),
        *((sham.name, sham.deleted) for sham in report.shams),
    ]


def _deletions(report: Report, rows: Sequence[tuple[str, Cut]]) -> list[Mark]:
    """For each deletion what is left of the target and of the others; without classes, what of the work is gone."""
    judged = bool(np.isfinite(report.intact.accuracy))
    what = "accuracy that is left, of the target and the others" if judged else "share of the work that is gone"
    marks: list[Mark] = [Text(900, 34, "deleted", 20, bold=True, colour=INK), Text(900, 60, what, 16, colour=MUTED)]
    for place, (name, cut) in enumerate(rows):
        y = 112 + 44 * place
        bold = name == "the structure"
        marks.append(fitted(Text(LEFT - 14, y, name, 16, "right", bold, INK), 320))
        bars = [(cut.accuracy, OWN), (cut.others, MUTED)] if judged else [(cut.lost, OWN)]
        shown = [(value, colour) for value, colour in bars if np.isfinite(value)]
        for number_, (value, colour) in enumerate(shown):
            at = y + 16 * (number_ - (len(shown) - 1) / 2)
            length = LONG * float(np.clip(value, 0, 1))
            marks.append(Bars(np.array([[LEFT, at - 6, LONG, 12], [LEFT, at - 6, length, 12]]), (FAINT, colour), 2))
            marks.append(
                Text(LEFT + LONG + 12, at, f"{100 * value:.1f} %", 14, bold=bold, colour=INK if bold else MUTED)
            )
    y = 112 + 44 * len(rows) + 6
    if judged:
        for place, (words, colour) in enumerate(((report.target, OWN), ("other classes, mean", MUTED))):
            marks.append(Bars(np.array([[LEFT + 150 * place, y - 7, 14, 14]]), (colour,), 2))
            marks.append(fitted(Text(LEFT + 24 + 150 * place, y, words, 16, colour=INK), 110 if place == 0 else 200))
    return marks
