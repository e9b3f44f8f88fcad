import { describe, expect, it } from "vitest";
import { stain } from "../src/lib/stain";
import { tabled } from "./planted";

const near = (found: ArrayLike<number>, expected: number[]): void => {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 3));
};

describe("the dye of activity", () => {
  it("is what the answer to a class is above 1.15 times the mean", () => {
    const found = stain(
      tabled([
        [1, 0.5, 0],
        [0, 0.5, 0],
        [0, 0.5, 0],
        [0, 0.5, 0],
      ]),
      "contrast",
      [0, 1],
    );
    near(
      found.depth,
      [1, 0, 0, 0, 0, 0].map((v) => v * ((1 - 1.15 / 4) / (1 - 1.15 / 4))),
    );
    near(found.grey, [0.6 * 0.25, 0.6 * 0.5, 0]);
    expect([...found.silent]).toEqual([0, 0, 1]);
  });

  it("of many classes is only the foremost one's", () => {
    const found = stain(tabled([[1], [0.8], [0], [0]]), "contrast", [0, 1, 2, 3]);
    expect([...found.depth].map((v) => v > 0)).toEqual([true, false, false, false]);
  });

  it("takes what is below zero as no answer, and what nobody measured out of the mean", () => {
    const found = stain(
      tabled([
        [-1, NaN],
        [1, 0.6],
        [0, NaN],
      ]),
      "contrast",
      [1],
    );
    near(found.grey, [0.6 / 3, 0.6 * 0.6]);
    expect([...found.silent]).toEqual([0, 0]);
    expect([...stain(tabled([[-1], [-1]]), "contrast", [0]).silent]).toEqual([0]);
    expect([...stain(tabled([[NaN], [NaN]]), "contrast", [0]).silent]).toEqual([1]);
  });

  it("is no deeper than 1.2 times full", () => {
    const found = stain(tabled([[50], [0]], 1), "contrast", [0]);
    near(found.depth, [(1.2 - 1.15 * 0.6) / (1 - 1.15 / 2)]);
  });

  it("of a trace without classes is grey alone", () => {
    const found = stain(tabled([[0.5, 1]]), "contrast", []);
    near(found.grey, [0.3, 0.6]);
    expect(found.depth.length).toBe(0);
  });
});

describe("the causal dye", () => {
  it("is a unit's own class's, the deeper the more it adds", () => {
    const found = stain(
      tabled(
        [
          [4, 1, 0],
          [0, 0, 0],
        ],
        4,
      ),
      "causal",
      [0, 1],
    );
    near(found.depth, [1.3, 0, 0.65, 0, 0, 0]);
    near(found.grey, [0, 0, 0]);
    expect([...found.silent]).toEqual([0, 0, 1]);
  });

  it("is grey where a unit adds to all alike, and pale where it is another's own", () => {
    near(stain(tabled([[1], [1]]), "causal", [0]).grey, [0.9]);
    const other = stain(tabled([[1], [0], [0]]), "causal", [1]);
    near(other.depth, [0]);
    near(other.grey, [0.25]);
  });

  it("counts what a unit takes away as nothing", () => {
    const found = stain(
      tabled([
        [1, -1],
        [-3, -2],
      ]),
      "causal",
      [0, 1],
    );
    near(found.depth, [1.3, 0, 0, 0]);
    expect([...found.silent]).toEqual([0, 1]);
  });

  it("mixes few dyes by what is added to each, by an independent count", () => {
    const shares = [0.5, 0.3, 0.2];
    const entropy = -shares.reduce((sum, p) => sum + p * Math.log(p), 0);
    const own = Math.sqrt(1 - entropy / Math.log(3));
    const found = stain(tabled(shares.map((p) => [p])), "causal", [0, 1]);
    near(found.depth, [1.3 * Math.sqrt(0.5) * own, 1.3 * Math.sqrt(0.5) * own * 0.6]);
    near(found.grey, [Math.sqrt(0.5) * 0.9 * (1 - own)]);
  });
});
