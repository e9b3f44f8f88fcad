import { describe, expect, it } from "vitest";
import { drawn, shares, total } from "../src/lib/share";
import type { Bundle } from "../src/lib/types";
import { pathsOf } from "./planted";

const bundle = (count: number): Bundle => ({ source: 0, target: 1, class: 0, at: 0, count, total: count });

describe("a fair share", () => {
  it("gives to the others what a small bundle leaves", () => {
    expect(shares([100, 2, 50].map(bundle), 60).map(([one, share]) => [one.count, share])).toEqual([
      [2, 2],
      [50, 29],
      [100, 29],
    ]);
  });

  it("never gives more than there is, and all that is asked for where there is enough", () => {
    for (let i = 0; i < 300; i++) {
      const counts = Array.from({ length: 1 + Math.floor(Math.random() * 9) }, () => Math.floor(Math.random() * 50));
      const budget = Math.floor(Math.random() * 200);
      const found = shares(counts.map(bundle), budget);
      const sum = found.reduce((all, [, share]) => all + share, 0);
      const there = counts.reduce((a, b) => a + b, 0);
      expect(found.every(([one, share]) => share >= 0 && share <= one.count)).toBe(true);
      expect(sum).toBe(Math.min(budget, there));
    }
  });
});

describe("what is drawn", () => {
  const paths = pathsOf(
    [
      0,
      1,
      0,
      [
        [1, 2, 1],
        [3, 4, -0.5],
      ],
    ],
    [0, 1, 7, [[5, 6, 0.8]]],
    [1, -1, 0, [[2, 0, 0.1]]],
  );

  it("is of the chosen classes, weak ones first", () => {
    const found = drawn(paths, [0], 900);
    expect(found.map((one) => [one.start, one.end, one.target, one.lowers])).toEqual([
      [2, 0, -1, false],
      [3, 4, 1, true],
      [1, 2, 1, false],
    ]);
    expect(drawn(paths, [], 900)).toEqual([]);
  });

  it("is the strongest of each bundle where there is room for few", () => {
    expect(
      drawn(paths, [0, 7], 3)
        .map((one) => one.start)
        .sort(),
    ).toEqual([1, 2, 5]);
    expect(total(paths, [0])).toBe(30);
    expect(total(paths, [0, 7])).toBe(40);
  });
});
