"""Structures of a trace, and how they came about: against what was planted, and by brute force."""

import numpy as np
import pytest

from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.errors import BadValue, NisslError, NotHeard
from nissl.stores.memory import Memory

CLASSES = ("cat", "dog", "owl")
UNITS = {"first": 12, "second": 8}
TOTAL = sum(UNITS.values())


def spec(layer, name):
    labels = {"class": CLASSES}
    return ArraySpec(
        name, ("neuron", "class"), (UNITS[layer], 3), layer, columns=(Column(name, "first"),), labels=labels
    )


def trace_of(tables, name="attribution", epochs=None):
    """A closed trace with (epoch, unit, class) of each layer."""
    store = Memory()
    store.create({"classes": list(CLASSES)})
    specs = [spec(layer, name) for layer in tables]
    store.declare(specs)
    for at in range(len(next(iter(tables.values())))):
        store.append(Record((epochs or range(99))[at], {s.key: tables[s.layer][at].astype(np.float32) for s in specs}))
    store.close()
    return Trace(store)


def noise(epochs, seed=0):
    rng = np.random.default_rng(seed)
    return {layer: rng.normal(size=(epochs, units, 3)) for layer, units in UNITS.items()}


def planted(inside, epochs):
    """Units of each class's structure by epoch, as tables whose two highest are these: 10 % of 20 units."""
    tables = {layer: np.zeros((epochs, units, 3)) for layer, units in UNITS.items()}
    for k, members in inside.items():
        for epoch, units in enumerate(members):
            for layer, unit in units:
                tables[layer][epoch, unit, k] = 1.0
    return tables


A, B, C = ("first", 0), ("first", 5), ("second", 3)
EPOCHS = [0, 1, 2, 4, 6, 8, 10, 12]
CAT = [(A, B), (A, B), (A, B), (A, C), (A, B), (A, C), (A, C), (A, C)]
OTHERS = {1: [(("first", 7), ("first", 8))] * 8, 2: [(("second", 6), ("second", 7))] * 8}


def test_births_deaths_and_freezes_are_those_that_were_planted():
    found = trace_of(planted({0: CAT, **OTHERS}, 8), epochs=EPOCHS).structure_events()
    rows = {(r.epoch, r.event, r._3, r.layer, r.neuron) for r in found.itertuples() if r.event in ("birth", "death")}
    born = {(0, "birth", "cat", *A), (0, "birth", "cat", *B), (8, "birth", "cat", *C), (4, "death", "cat", *B)}
    still = {(0, "birth", "dog", "first", u) for u in (7, 8)} | {(0, "birth", "owl", "second", u) for u in (6, 7)}
    assert rows == born | still  # one epoch away (4), or there (6), is neither a birth nor a death
    frozen = found[found.event == "freeze"].set_index("class").epoch.to_dict()
    assert frozen == {"cat": 8, "dog": 0, "owl": 0}
    assert list(found.epoch) == sorted(found.epoch)


def test_lasting_decides_what_an_event_is():
    trace = trace_of(planted({0: CAT, **OTHERS}, 8), epochs=EPOCHS)
    births = trace.structure_events("cat", lasting=1).query("event == 'birth' and layer == 'second'")
    assert births.epoch.tolist() == [4]  # the first time that it came
    deaths = trace.structure_events("cat", lasting=1).query("event == 'death'")
    assert deaths[["epoch", "neuron"]].values.tolist() == [[8, 5]]
    assert trace.structure_events("cat", lasting=4).query("event == 'birth' and layer == 'second'").empty
    assert "freeze" not in set(trace.structure_events("cat", lasting=4).event)
    with pytest.raises(BadValue, match="lasting"):
        trace.structure_events(lasting=0)


def test_a_unit_changes_owner_when_it_has_become_anothers_for_good_measure():
    tables = planted(OTHERS, 8)
    for epoch, k in enumerate([0, 0, 0, 1, 0, 2, 2, 2]):
        tables["second"][epoch, 1, k] = 0.5
    found = trace_of(tables, epochs=EPOCHS).structure_events().query("event == 'owner'")
    assert found[["epoch", "class", "layer", "neuron", "before"]].values.tolist() == [[8, "owl", "second", 1, "cat"]]


def brute(tables, epoch, k):
    """The two units of highest contrast of a class."""
    every = [(layer, unit) for layer in UNITS for unit in range(UNITS[layer])]

    def contrast(place):
        row = tables[place[0]][epoch, place[1]].astype(np.float32).astype(float)
        return row[k] - np.maximum(np.delete(row, k), 0).mean()

    return set(sorted(every, key=contrast)[-2:])


def test_structures_of_an_epoch_are_the_units_of_highest_contrast():
    tables = noise(4)
    trace = trace_of(tables)
    for epoch in (0, 3):
        for k, name in enumerate(CLASSES):
            found = trace.structures(epoch)[name]
            assert {(unit.layer, unit.unit) for unit in found} == brute(tables, epoch, k)
    last = trace.structures()
    assert last["dog"].causal and last["dog"].recipe["epoch"] == 3
    np.testing.assert_array_equal(last["owl"].scores["first"], tables["first"][3, :, 2].astype(np.float32))
    signed = trace.structures(size=5, rank="score")["cat"]
    assert len(signed) == 5 and min(u.score for u in signed) > np.sort(last["cat"].scores["first"])[-6]
    assert len((trace.structures("E_0")["cat"] | last["cat"]).members) >= 1  # epochs of one run can be combined
    assert len(trace.structures(2)["cat"] - trace.structures(2)["cat"]) == 0


def test_events_agree_with_a_slow_reading_of_noise():
    tables, k = noise(9, seed=4), 1
    trace = trace_of(tables)
    runs = np.array([[place in brute(tables, e, k) for e in range(9)] for place in
                     [(layer, u) for layer in UNITS for u in range(UNITS[layer])]])  # fmt: skip
    births = {e for row in runs for e in range(9) if row[e : e + 1].all() and row[e] and not row[:e].any()}
    found = trace.structure_events("dog", lasting=1)
    assert set(found[found.event == "birth"].epoch) == births
    assert (found.event == "birth").sum() == runs.any(1).sum()
    assert (found.event == "death").sum() == (runs.any(1) & ~runs[:, -1]).sum()


def test_a_class_that_was_not_measured_has_no_structure():
    tables = noise(3)
    for table in tables.values():
        table[..., 2] = np.nan
    trace = trace_of(tables)
    assert list(trace.structures()) == ["cat", "dog"]
    assert "owl" not in set(trace.structure_events()["class"])


def test_what_a_trace_cannot_give_is_told():
    trace = trace_of(noise(2))
    with pytest.raises(BadValue, match="has to be tried out on the model"):
        trace.structures(size="faithful>=0.9")
    with pytest.raises(BadValue, match="rank="):
        trace.structures(rank="best")
    with pytest.raises(NisslError, match="no class 'cow'"):
        trace.structure_events("cow")
    with pytest.raises(NisslError, match="no model"):
        trace.structures()["cat"].delete()
    bare = trace_of(noise(2), name="class_mean")
    for ask in (bare.structures, bare.structure_events):
        with pytest.raises(NotHeard, match="'structures'"):
            ask()
    with pytest.raises(NotHeard, match="'profile'"):
        trace.class_sets()


def test_class_sets_are_the_units_that_answer_above_their_layers_mean():
    tables = noise(3)
    tables["second"][:, 2, 1] = np.nan
    trace = trace_of(tables, name="class_mean")
    sets = trace.class_sets()
    for k, name in enumerate(CLASSES):
        for layer, units in UNITS.items():
            values = tables[layer][-1, :, k].astype(np.float32).astype(float)
            known = [v for v in values if not np.isnan(v)]
            expected = {u for u in range(units) if values[u] > sum(known) / len(known)}
            assert set(sets[name].members.get(layer, ())) == expected
    cat, dog = ({(u.layer, u.unit) for u in sets[name]} for name in ("cat", "dog"))
    assert {(u.layer, u.unit) for u in sets["cat"] & sets["dog"]} == cat & dog
    assert {(u.layer, u.unit) for u in sets["dog"] - sets["cat"]} == dog - cat
    assert not sets["cat"].causal and "not proved to matter" in repr(sets["cat"] & sets["dog"])
    followed = trace_of(noise(3)).structures()["cat"]
    with pytest.raises(BadValue, match="different models"):
        followed & sets["cat"]
    assert len(trace.class_sets("E_0")["cat"]) != 0 and trace.class_sets(0)["cat"].recipe["epoch"] == 0
