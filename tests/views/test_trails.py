"""Pictures of paths through training, and the command that makes them."""

from functools import cache

import numpy as np
import pytest

import nissl
from nissl.apps.cli import main
from nissl.core.marks import Dots, Lines, Text
from nissl.errors import BadValue, UnknownName
from nissl.studies.train import train
from nissl.testing.specimens import specimen
from nissl.testing.views import PictureSuite
from nissl.views.trails import Trails

TRACES = ("one unit", "silent", "unheard classes", "twelve classes", "long names", "binary", "many epochs")


class TestTrails(PictureSuite):
    def pictures(self):
        yield from self.every()

    @staticmethod
    @cache
    def every():
        return list(TestTrails.made())

    @staticmethod
    def made():
        for name in TRACES:
            yield name, Trails(nissl.trails(specimen(name), epochs=specimen(name).epochs[:9])).describe()
        trace = specimen("mlp")
        yield "one layer", Trails(nissl.trails(trace, trace.layers[0])).describe()
        yield "by epoch", Trails(nissl.trails(trace, trace.layers[0]), "epoch").describe()
        yield "one epoch", Trails(nissl.trails(trace, trace.layers[0], epochs=2)).describe()
        yield "numbers", Trails(nissl.trails(np.random.default_rng(0).random((6, 23, 4)), dimensions=3)).describe()
        yield (
            "seven layers",
            Trails(nissl.trails({f"l{k}": np.random.default_rng(k).random((3, 4, 4)) for k in range(7)})).describe(),
        )


def test_every_path_is_drawn_from_its_first_epoch_to_its_last():
    trace = specimen("mlp")
    found = nissl.trails(trace, trace.layers[0])
    picture = Trails(found).describe()
    at = {tuple(p) for m in picture.marks if isinstance(m, Lines) for p in m.points.round(6) if np.isfinite(p).all()}
    first, last = [m for m in picture.marks if isinstance(m, Dots) and len(m.points) == found.units]
    assert {tuple(p) for p in first.points.round(6)} <= at and {tuple(p) for p in last.points.round(6)} <= at
    away = [np.linalg.norm(one[:, None] - one[None], axis=-1) for one in (last.points, found.positions[-1])]
    assert np.corrcoef(away[0].ravel(), away[1].ravel())[0, 1] > 1 - 1e-9  # as they lie, only larger
    np.testing.assert_array_equal(last.dye, np.where(found.owners < 0, len(last.dyes) - 1, found.owners))
    assert picture.title == f"Units of {trace.layers[0]} on their way through {len(trace.epochs)} epochs"
    assert "nearest eight" in picture.caption and "chance" in picture.caption


def test_layers_left_out_are_counted_and_unknown_ones_named():
    seven = nissl.trails({f"l{k}": np.random.default_rng(k).random((3, 4, 4)) for k in range(7)})
    assert "6 of 7 layers shown" in Trails(seven).describe().caption
    only = Trails(seven, layers=["l3"]).describe()
    assert next(m.words for m in only.marks if isinstance(m, Text)) == "l3"
    with pytest.raises(UnknownName):
        Trails(seven, layers=["l9"]).describe()
    with pytest.raises(BadValue):
        Trails(seven, "red").describe()


def test_the_command_prints_how_good_it_is_and_paints(tmp_path, capsys):
    train(tmp_path / "iris", data="iris", model="mlp", model_options={"hidden": (12,)}, epochs=4, progress=False)
    out = tmp_path / "hidden.png"
    assert main(["trails", str(tmp_path / "iris"), "--layer", "hidden_1", "--neighbours", "2", "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "12 units of hidden_1 through 5 epochs" in said and "follows" in said and out.stat().st_size > 10_000
    assert main(["trails", str(tmp_path / "iris"), "--layer", "none"]) != 0
    assert "hidden_1" in capsys.readouterr().err
