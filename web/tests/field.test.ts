import { expect, test } from "vitest";
import { FULL, marked, nearest, size, stride, whole, zoomed } from "../src/lib/field";
import { mistaken, mix, ordered } from "../src/lib/probe";

test("a stride meets every point once", () => {
  for (const count of [1, 2, 3, 10, 359, 1000, 10007]) {
    const step = stride(count);
    const seen = new Set(Array.from({ length: count }, (_, k) => (k * step) % count));
    expect(seen.size).toBe(count);
  }
});

test("the nearest point is found where the screen has it, and none beyond reach", () => {
  const lens = whole(400, 300);
  const places = Uint16Array.from([0, 0, FULL, FULL, FULL / 2, FULL / 2]);
  expect(nearest(places, lens, lens.x, lens.y + lens.scale, 5)).toBe(0);
  expect(nearest(places, lens, lens.x + lens.scale, lens.y, 5)).toBe(1);
  expect(nearest(places, lens, 200 + 4, 150 + 2, 5)).toBe(2);
  expect(nearest(places, lens, 200 + 14, 150, 5)).toBeNull();
});

test("coming nearer keeps the place under the pointer", () => {
  const lens = whole(400, 300);
  const near = zoomed(lens, 2, 120, 90, 100);
  const share = (one: typeof lens): number[] => [(120 - one.x) / one.scale, (90 - one.y) / one.scale];
  share(near).forEach((value, i) => expect(value).toBeCloseTo(share(lens)[i]!, 9));
  expect(zoomed(lens, 1e-6, 0, 0, 100).scale).toBe(100);
});

test("many points are small, few are not huge", () => {
  expect(size(1_000_000, 1000, 700, 1)).toBe(2);
  expect(size(3, 1000, 700, 1)).toBe(9);
});

test("gathered examples are marked; none is no mark", () => {
  expect(marked([], 4)).toBeNull();
  expect([...marked([1, 3, 9], 4)!]).toEqual([0, 1, 0, 1]);
});

test("mistakes are listed with the surest first, then right answers with the least sure", () => {
  const known = Int16Array.from([0, 1, 2, -1, 0]);
  const said = Int16Array.from([0, 2, 1, 1, 0]);
  const heard = {
    epoch: 1,
    said,
    sure: Uint8Array.from([250, 100, 200, 9, 130]),
    own: Uint8Array.from([250, 3, 4, 0, 130]),
  };
  expect(mistaken(known, said)).toEqual([1, 2]);
  expect(ordered(known, heard, "mistakes", [])).toEqual([2, 1]);
  expect(ordered(known, heard, "gathered", [0, 4, 77])).toEqual([4, 0]);
  expect(ordered(known, heard, "all", []).slice(0, 2)).toEqual([2, 1]);
  expect(ordered(null, heard, "all", [])).toEqual([0, 1, 2, 3, 4]);
});

test("the mix counts each class, and apart those of none", () => {
  const known = Int16Array.from([0, 1, 1, -1, 7]);
  expect(mix(known, null, 2)).toEqual([1, 2, 2]);
  expect(mix(known, [1, 3], 2)).toEqual([0, 1, 1]);
});
