"""In what order units are taken, and which ranking a goal chooses."""

import numpy as np

import nissl
from nissl.core.choosing import fewest, foremost, ranked, rankings
from tests.structures.corners import QUIET, accuracy


def test_units_that_do_nothing_for_a_class_come_after_all_that_do():
    #                  its own, shared, another's, dead, dead, against it
    scores = np.array(
        [[3.0, 0.5, 0.1, 0.0, 1e-12, -2.0], [0.1, 4.0, 9.0, 0.0, -3.0, 0.0], [0.0, 4.0, 0.0, 0.0, 0.0, -5.0]]
    )
    assert foremost(ranked("contrast", scores, 0), 4).tolist() == [0, 5, 1, 2]
    found = rankings("contrast", {"a": scores[:, 3:5], "b": scores[:, :3]}, 0)  # of all layers together
    assert found["a"].max() < found["b"].min()
    assert np.isfinite(ranked("contrast", scores[:, 3:4], 0)).all() and ranked("contrast", scores[:, :0], 0).shape == (
        0,
    )


def test_of_weights_for_others_a_goal_takes_the_one_that_harms_them_least(learnt):
    model, x, y = learnt
    family = nissl.structures(model, (x, y), rank="contrast", size="target<=0.1", **QUIET)
    names = list(family)
    layers = list(family[names[0]].scores)
    table = np.stack([np.concatenate([family[name].scores[layer] for layer in layers]) for name in names])
    edges = np.cumsum([len(family[names[0]].scores[layer]) for layer in layers])[:-1]
    for k, name in enumerate(names):
        left = {}
        for weight in (1.0, 1.5, 2.0, 3.0):
            contrast = table[k] - weight * np.maximum(np.delete(table, k, 0), 0).mean(0)
            order = sorted(range(len(contrast)), key=lambda u: (table[k, u] <= 0, -contrast[u]))

            def cut(count, order=order, name=name):
                taken = np.split(np.isin(np.arange(len(order)), order[:count]), edges)
                return family[name].having(
                    {layer: np.flatnonzero(part) for layer, part in zip(layers, taken, strict=True)}
                )

            def reached(count, cut=cut, k=k):
                with cut(count).delete():
                    return accuracy(model, x[y == k], y[y == k]) <= 0.1

            count = fewest(reached, len(order) // 2)
            if count is not None:
                with cut(count).delete():
                    left[weight] = accuracy(model, x[y != k], y[y != k])
        one = family[name]
        assert one.recipe["reached"] == bool(left)
        if left:
            assert left[one.recipe["weight"]] == max(left.values())
