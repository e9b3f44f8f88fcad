"""The picture of two runs, and what `nissl changes ONE OTHER --out` writes."""

from functools import cache

import numpy as np
import pytest

import nissl
from nissl.apps.cli import main
from nissl.core.marks import Cells, Dots, Text
from nissl.studies.train import train
from nissl.testing.specimens import specimen
from nissl.testing.views import PictureSuite
from nissl.views.twins import HIGH, LEFT, RIGHT, Twins
from tests.changes.planted import motion, stored

CLASSES = tuple("abcdefghij")


def edited(units=40, layers=2):
    """A run, and the same with units 3 and 7 of its first layer set to one value from epoch 5 on."""
    path = motion("noise", np.random.default_rng(0), 8, units, 10)
    other = path.copy()
    other[5:, [3, 7]] = 0.5
    rest = {f"layer{k}": path[:, :20] for k in range(1, layers)}
    one, two = (stored({"layer0": x, **rest}, classes=CLASSES) for x in (path, other))
    return nissl.changes(one, two, progress=False)


class TestTwins(PictureSuite):
    def pictures(self):
        yield from self.every()

    @staticmethod
    @cache
    def every():
        return list(TestTwins.made())

    @staticmethod
    def made():
        yield "edited", Twins(edited()).describe()
        yield "twelve layers", Twins(edited(layers=12)).describe()
        yield "one layer", Twins(edited(layers=1)).describe()
        rng = np.random.default_rng(1)
        first, second = (stored({"a": motion("noise", rng, 5, n, 10)}, classes=CLASSES) for n in (30, 17))
        yield "unrelated, of other widths", Twins(nissl.changes(first, second, progress=False)).describe()
        for name in ("silent", "long names", "twelve classes"):
            trace = specimen(name)
            yield name, Twins(nissl.changes(trace, trace, progress=False)).describe()


def test_who_differs_and_from_when_on_is_seen():
    picture = Twins(edited()).describe()
    fields = [m for m in picture.marks if isinstance(m, Cells) and m.x == RIGHT and m.height == HIGH]
    dark = fields[0].shares > 0.1
    assert dark[:2, 5:].all() and not dark[:2, :5].any() and not dark[2:].any()
    assert not (fields[1].shares > 0).any()
    dots = [m for m in picture.marks if isinstance(m, Dots) and len(m.points) == 40]
    assert dots[0].dye.tolist().count(1) in (1, 2) and (dots[0].dye[2:] == 0).all()
    words = [m.words for m in picture.marks if isinstance(m, Text)]
    assert "38 of 40 units answer alike in the end" in words and "20 of 20 units answer alike in the end" in words
    named = next(w for w in words if w.startswith("least alike"))
    assert "7 | 7" in named and "3 | 3" in named and "all alike" in words
    assert "keep their numbers" in picture.caption


def test_partners_lie_at_their_correlation_beside_chance():
    rng = np.random.default_rng(2)
    one, other = (stored({"a": motion("noise", rng, 5, 25, 10)}, classes=CLASSES) for _ in range(2))
    found = nissl.changes(one, other, progress=False)
    dots = next(m for m in Twins(found).describe().marks if isinstance(m, Dots) and len(m.points) == 25)
    high = dots.points[:, 1]
    assert (np.diff(high) <= 1e-9).all() and dots.points[0, 0] > LEFT  # rising, and y runs down
    assert np.corrcoef(-high, np.sort(found.pairs[0].matching.correlation))[0, 1] == pytest.approx(1)


def test_the_command_writes_it(tmp_path, capsys):
    for seed in (0, 1):
        train(
            tmp_path / f"{seed}",
            data="digits",
            model="mlp",
            model_options={"hidden": (8,)},
            epochs=2,
            seed=seed,
            progress=False,
        )
    runs = [str(tmp_path / "0"), str(tmp_path / "1")]
    assert main(["changes", *runs, "--out", str(tmp_path / "seen")]) == 0
    assert {p.name for p in (tmp_path / "seen").iterdir()} == {"changes.json", "table.csv", "twins.png"}
    assert "have a partner" in capsys.readouterr().out
