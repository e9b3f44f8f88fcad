import { describe, expect, it } from "vitest";
import { along, difference, limit, noticed, traffic } from "../src/lib/change";
import { ramp, hex } from "../src/lib/colour";
import { MOST, NEVER, type Paths, type Table } from "../src/lib/types";

function table(rows: number[][]): Table {
  const steps = rows.flat().map((v) => (Number.isNaN(v) ? NEVER : Math.round((v / 2) * MOST)));
  return { steps: Int16Array.from(steps), classes: rows.length, cells: rows[0]?.length ?? 0, most: 2, full: 1 };
}

describe("what changed", () => {
  const before = table([
    [0, 1, 0.5, NaN],
    [0.2, 0, 0.5, 0],
  ]);
  const now = table([
    [1, 0, 0.5, 1],
    [0, 0, 0.5, 0],
  ]);

  it("is, of a cell, the stained class that changed most, in parts of full depth", () => {
    const found = difference(before, now, [0, 1]);
    [1, -1, 0].forEach((by, cell) => expect(found[cell]).toBeCloseTo(by, 3));
    expect([...difference(before, now, [1])].map((v) => Math.round(100 * v))).toEqual([-20, 0, 0, 0]);
    expect(difference(before, now, [0])[3]).toBeNaN();
    expect(difference(before, now, [])[0]).toBeCloseTo(0.4, 3);
    expect(noticed([found])).toBe(2);
  });

  it("has paper in the middle, and round limits", () => {
    expect(along(0, 0.5)).toBe(0.5);
    expect([along(-3, 1), along(3, 1)]).toEqual([0, 1]);
    expect(limit([Float32Array.of(0.01, -0.3, NaN)])).toBe(0.5);
    expect(limit([])).toBe(0.02);
    const light = ramp("change", "bright");
    expect([0, 0.5, 1].map((share) => hex(light(share)))).toEqual(["#00707e", "#fbfaf7", "#b8431a"]);
    expect(hex(ramp("change", "dark")(0.5))).toBe("#0d1014");
  });

  it("of paths is what is among the strongest at one of both", () => {
    const paths = (ends: number[]): Paths => ({
      bundles: [{ source: 0, target: 1, class: 3, at: 0, count: ends.length, total: 9 }],
      start: Uint16Array.from(ends.map(() => 5)),
      end: Uint16Array.from(ends),
      strength: Int16Array.from(ends.map((_, i) => MOST - i)),
      absent: "",
    });
    const found = traffic(paths([1, 2, 3]), paths([3, 4]), [3], 900);
    expect(found.come.map((one) => one.end)).toEqual([4]);
    expect(found.gone.map((one) => one.end).sort()).toEqual([1, 2]);
    expect(found.both).toBe(1);
    expect(traffic(paths([1]), paths([2]), [0], 900)).toEqual({ come: [], gone: [], both: 0 });
  });
});
