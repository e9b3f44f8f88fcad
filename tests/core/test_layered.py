"""The layout of graphs: held to what can be seen, on random graphs of blocks in blocks, and to brute force."""

import math
import time
from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nissl.core.layered.across import GAP, across
from nissl.core.layered.columns import Columns
from nissl.core.layered.nest import HEADER, arranged
from nissl.core.layered.order import Order, Step
from nissl.core.layered.ranks import ranks


@st.composite
def nested(draw, most=24):
    """(sizes, parents, edges) of a random graph; blocks follow one another as calls do."""
    count = draw(st.integers(1, most))
    parents, open_blocks, kinds = {}, [], []
    for one in range(count):
        while open_blocks and draw(st.booleans()):
            open_blocks.pop()
        parents[one] = open_blocks[-1] if open_blocks else None
        kinds.append(draw(st.booleans()) and one < count - 1)
        if kinds[-1]:
            open_blocks.append(one)
    blocks = {parent for parent in parents.values() if parent is not None}
    leaves = [one for one in range(count) if one not in blocks]
    pairs = list(combinations(leaves, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=3 * count)) if pairs else []
    sizes = {
        one: (draw(st.sampled_from([40.0, 120.0, 300.0])), draw(st.sampled_from([30.0, 52.0]))) for one in range(count)
    }
    return sizes, parents, edges


def around(one, parents):
    found = []
    while parents[one] is not None:
        one = parents[one]
        found.append(one)
    return found


def inside(box, outer, slack=0.01):
    (x, y, w, h), (left, top, wide, high) = box, outer
    return left - slack <= x and top - slack <= y and x + w <= left + wide + slack and y + h <= top + high + slack


def apart(one, other):
    (x, y, w, h), (left, top, wide, high) = one, other
    return x + w <= left + 0.01 or left + wide <= x + 0.01 or y + h <= top + 0.01 or top + high <= y + 0.01


@settings(max_examples=150, deadline=None)
@given(nested())
def test_boxes_are_apart_blocks_hold_what_is_in_them_and_all_is_on_the_sheet(graph):
    sizes, parents, _ = graph
    found = arranged(*graph)
    blocks = set(parents.values())
    sheet = (0.0, 0.0, found.width, found.height)
    assert set(found.boxes) == set(sizes)
    for one, box in found.boxes.items():
        assert inside(box, sheet)
        assert one in blocks or box[2:] == sizes[one]
        if parents[one] is not None:
            left, top, wide, high = found.boxes[parents[one]]
            assert inside(box, (left, top + HEADER, wide, high - HEADER))
    for one, other in combinations(sizes, 2):
        if one not in around(other, parents):
            assert apart(found.boxes[one], found.boxes[other]), (one, other)


@settings(max_examples=150, deadline=None)
@given(nested())
def test_edges_join_their_boxes_run_down_and_pass_no_other_box(graph):
    _, parents, edges = graph
    found = arranged(*graph)
    assert set(found.routes) == set(edges)
    blocks = set(parents.values())
    for (source, target), points in found.routes.items():
        (x, y, w, h), (left, top, wide, _) = found.boxes[source], found.boxes[target]
        assert points[0] == pytest.approx((x + w / 2, y + h))
        assert points[-1] == pytest.approx((left + wide / 2, top))
        assert all(
            end[1] >= start[1] - 1e-9 for start, end in pairwise(points)
        )  # none of these is so high that it wraps
        for one, box in found.boxes.items():
            if one not in (source, target) and one not in blocks:
                assert not any(crosses(start, end, box) for start, end in pairwise(points)), (source, target, one)


def crosses(start, end, box, slack=0.5):
    """Does a straight line pass through the inner of a box? Looked at in small steps."""
    x, y, w, h = box
    for step in range(33):
        at = [a + (b - a) * step / 32 for a, b in zip(start, end, strict=True)]
        if x + slack < at[0] < x + w - slack and y + slack < at[1] < y + h - slack:
            return True
    return False


@settings(max_examples=60, deadline=None)
@given(nested())
def test_the_same_graph_is_laid_out_the_same(graph):
    sizes, parents, edges = graph
    again = arranged(dict(sizes), dict(parents), list(edges))
    assert arranged(*graph) == again


def test_a_long_chain_stands_in_columns_and_its_lines_come_back_to_the_top():
    count = 300
    sizes = dict.fromkeys(range(count), (150.0, 52.0))
    edges = [*pairwise(range(count)), (0, 90)]
    found = arranged(sizes, dict.fromkeys(range(count)), edges)
    assert 1.1 < found.width / found.height < 3
    columns = sorted({round(x) for x, *_ in found.boxes.values()})
    assert len(columns) > 2
    for one, other in combinations(found.boxes.values(), 2):
        assert apart(one, other)
    for (source, target), points in found.routes.items():
        up = [(a, b) for a, b in pairwise(points) if b[1] < a[1]]
        assert len(up) == sum(found.boxes[k + 1][1] < found.boxes[k][1] for k in range(source, target))
        for start, end in up:  # in a gutter, where no box is
            assert start[0] == end[0]
            assert not any(x - 1 < start[0] < x + w + 1 for x, _, w, _ in found.boxes.values())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=25))
def test_ranks_are_below_all_that_they_take_from(pairs):
    links = [(tail, tail + by) for tail, by in pairs]
    found = ranks(15, links)
    assert all(found[tail] < found[head] for tail, head in links)
    givers = {tail for tail, _ in links} - {head for _, head in links}
    for one in givers:  # what takes nothing stands right above what it gives to
        assert found[one] == min(found[head] for tail, head in links if tail == one) - 1


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(4, 7)), max_size=9, unique=True))
def test_crossings_are_counted_as_by_hand_and_are_few(pairs):
    steps = [Step(a, b) for a, b in pairs]
    rows = [[0, 1, 2, 3], [4, 5, 6, 7]]

    def by_hand(top, bottom):
        ends = [(top.index(a), bottom.index(b)) for a, b in pairs]
        return sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(ends, 2))

    order = Order(rows, steps, [10.0] * 8)
    assert order.crossings() == by_hand(*rows)
    best = order.best()
    least = min(by_hand(top, bottom) for top in permutations(rows[0]) for bottom in permutations(rows[1]))
    assert by_hand(*best) <= by_hand(*rows)
    assert by_hand(*best) <= 2 * least + 1
    assert [sorted(row) for row in best] == rows


def test_a_chain_stands_upright_and_boxes_keep_their_distance():
    rows = [[0], [1, 5], [2, 6], [3, 7], [4]]
    steps = [Step(0, 1), Step(1, 2), Step(2, 3), Step(3, 4), Step(0, 5), Step(5, 6), Step(6, 7), Step(7, 4)]
    widths = [100.0, 180.0, 60.0, 100.0, 100.0, 0.0, 0.0, 0.0]
    at = across(rows, steps, widths)
    assert at[1] == pytest.approx(at[2]) == pytest.approx(at[3])
    assert at[5] == pytest.approx(at[6]) == pytest.approx(at[7])
    assert at[5] - at[1] >= 90 + GAP / 2
    assert at[1] < at[0] < at[5]


def test_columns_are_cut_where_few_lines_pass():
    bands, gaps = [50.0] * 40, [25.0] * 39
    passing = [3] * 39
    passing[11] = 1
    found = Columns.of(bands, gaps, passing, [(0.0, 100.0)] * 40, 1000.0)
    assert 11 in [rank for rank in range(39) if found.column[rank] != found.column[rank + 1]]
    assert max(found.bottoms) < 1.3 * math.fsum([*bands, *gaps]) / 3
    assert Columns.of(bands, gaps, passing, [(0.0, 100.0)] * 40, 1e9).column == [0] * 40


def test_a_graph_of_thousands_takes_seconds_at_most():
    count = 3000
    edges = [*pairwise(range(count)), *((k, k + 9) for k in range(0, count - 9, 9))]
    start = time.process_time()
    found = arranged(dict.fromkeys(range(count), (150.0, 52.0)), dict.fromkeys(range(count)), edges)
    assert len(found.boxes) == count
    assert time.process_time() - start < 10
