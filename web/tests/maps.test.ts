import { describe, expect, it } from "vitest";
import { apart, judged, over, spread } from "../src/lib/confused";
import { depths, flat, foremost, owned, strongest } from "../src/lib/maps";
import { region, type Topo } from "../src/lib/topo";
import type { Cells } from "../src/lib/types";
import { layer, tabled } from "./planted";

describe("a flat map", () => {
  const table = tabled(
    [
      [4, 0, 1, -1],
      [1, 0, 2, -2],
      [0, 0, 2.5, NaN],
    ],
    4,
  );

  it("has a place for every cell", () => {
    for (const count of [1, 2, 3, 10, 400, 401]) {
      const map = flat(layer("a", count), "causal");
      expect(map.columns * map.rows).toBeGreaterThanOrEqual(count);
      expect(map.columns * (map.rows - 1)).toBeLessThan(count);
      expect(Math.abs(map.columns - map.rows)).toBeLessThanOrEqual(1);
    }
  });

  it("is as deep as what a cell adds, by its root; what it takes away, or nobody measured, is blank", () => {
    const found = [...depths(table, "causal", 1)];
    [0.5, 0, Math.sqrt(0.5), 0].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 3));
    expect([...depths(table, "causal", 2)][3]).toBe(0);
    expect([...depths(tabled([[8, 2]], 4), "contrast", 0)].map((v) => Number(v.toFixed(2)))).toEqual([1.2, 0.5]);
  });

  it("knows whose each cell is, and who serves a class most", () => {
    expect([0, 1, 2, 3].map((cell) => foremost(table, cell))).toEqual([0, -1, 2, -1]);
    expect(owned(table)).toEqual([1, 0, 1]);
    expect(strongest(table, 1, 5)).toEqual([2, 0]);
    expect(strongest(table, 0, 1)).toEqual([0]);
  });
});

describe("confusion", () => {
  const counts = Uint32Array.from([8, 2, 0, 1, 3, 0, 0, 0, 0]);

  it("gives recall and precision, and nothing of a class without examples", () => {
    expect(judged(counts, 3)).toEqual({ recall: [0.8, 0.75, null], precision: [8 / 9, 0.6, null] });
  });

  it("over epochs is as long as they are, whatever is there", () => {
    const cells = { confusion: counts } as Cells;
    expect(over([cells, null, cells], 3, "recall")).toEqual([
      [0.8, null, 0.8],
      [0.75, null, 0.75],
      [null, null, null],
    ]);
  });

  it("is shown at epochs from the first to the last", () => {
    expect(spread(3, 8)).toEqual([0, 1, 2]);
    expect(spread(21, 8)).toEqual([0, 3, 6, 9, 11, 14, 17, 20]);
    expect(spread(0, 8)).toEqual([]);
  });

  it("has names that do not lie on one another, in the order of their lines, within the plot", () => {
    for (let i = 0; i < 200; i++) {
      const heights = Array.from({ length: 1 + Math.floor(Math.random() * 10) }, () => 5 + Math.random() * 120);
      const found = apart(heights, 12, 5, 125);
      const order = [...heights.keys()].sort((a, b) => heights[a]! - heights[b]!);
      order.forEach((k, rank) => {
        expect(found[k]).toBeGreaterThanOrEqual(5 - 1e-9);
        expect(found[k]).toBeLessThanOrEqual(125 + 1e-9);
        if (rank > 0) expect(found[k]! - found[order[rank - 1]!]!).toBeGreaterThanOrEqual(12 - 1e-9);
      });
    }
  });
});

describe("the most responsive region", () => {
  const map = (x: number[], y: number[], spacing: number): Topo => ({
    layer: "a",
    by: "grid",
    shape: "grid",
    side: spacing,
    spacing,
    quality: {},
    limits: {},
    x: Float32Array.from(x),
    y: Float32Array.from(y),
  });

  it("is, of few cells, the one that answers most, and of many several that lie together", () => {
    const three = map([0, 1, 0], [0, 0, 1], 1);
    const found = region(three, Float32Array.from([-7.7, 8.5, -8.2]));
    expect(found.cells).toEqual([1]);
    expect(found.centre).toEqual([1, 0]);
    const places = [...Array(16).keys()];
    const many = map(
      places.map((k) => (k % 4) / 3),
      places.map((k) => Math.floor(k / 4) / 3),
      1 / 3,
    );
    const cells = region(
      many,
      Float32Array.from(places, (k) => (k % 4 < 2 && k < 8 ? 1 : 0)),
    ).cells;
    expect(cells.length).toBeGreaterThanOrEqual(3);
    expect(cells.every((k) => k % 4 < 2 && k < 8)).toBe(true);
  });
});
