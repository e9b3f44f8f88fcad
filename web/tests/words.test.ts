import { describe, expect, it } from "vitest";
import { curves, line, ticks } from "../src/lib/curves";
import { bars, history, neighbours } from "../src/lib/profile";
import { brief, digits, listed, plural } from "../src/lib/words";
import type { Cells } from "../src/lib/types";
import { pathsOf, tabled } from "./planted";

describe("words", () => {
  it("shorten names so that those that begin alike stay apart", () => {
    expect(brief("species of kind 12", 10)).toBe("speci…d 12");
    expect(brief("class_0", 3)).toBe("c…0");
    expect(brief("cat", 3)).toBe("cat");
    expect(brief("🧠🧠🧠🧠", 3)).toBe("🧠…🧠");
    const many = Array.from({ length: 20 }, (_, k) => brief(`species of kind ${k}`, 10));
    expect(new Set(many).size).toBe(20);
  });

  it("count", () => {
    expect([plural(1, "unit"), plural(1234, "class"), listed(["a", "b", "c"]), listed([])]).toEqual([
      "1 unit",
      "1,234 classes",
      "a, b and c",
      "",
    ]);
    expect([0, 0.12345, 12345, 1e-7, NaN, -3].map(digits)).toEqual(["0", "0.123", "12300", "1.0e-7", "–", "-3"]);
  });
});

describe("curves", () => {
  it("are those of the probe where there are any, broken where nothing was recorded", () => {
    const found = curves({ loss: [1, 2], probe_loss: [3, null], accuracy: [null, null], lr: [1, 1] });
    expect(found.map((curve) => [curve.label, curve.values])).toEqual([["loss", [3, null]]]);
    const path = line({ name: "", label: "", share: true, values: [0, 1, null, 0.5] }, (place) => place, 108);
    expect(path).toBe("M0.0 104.0L1.0 4.0M3.0 54.0");
    expect(line({ name: "", label: "", share: false, values: [null] }, (place) => place, 10)).toBe("");
  });

  it("have a few round epochs named below, the first and the last always, none on another", () => {
    expect(ticks([3], 8)).toEqual([0]);
    for (const epochs of [
      [...Array(900).keys()],
      Array.from({ length: 300 }, (_, i) => 3 * i),
      [0, 1, 2, 50, 51, 1000],
    ]) {
      const found = ticks(epochs, 5);
      expect(found.at(0)).toBe(0);
      expect(found.at(-1)).toBe(epochs.length - 1);
      expect(found.length).toBeLessThan(9);
    }
  });
});

describe("a cell", () => {
  it("has bars of its largest classes", () => {
    expect(bars(tabled([[1], [-4], [NaN], [2]]), 0, 2).map((bar) => bar.number)).toEqual([1, 3]);
    expect(bars(tabled([[1], [-4]]), 0, 5).map((bar) => Math.round(bar.value))).toEqual([1, -4]);
  });

  it("has a history as far as epochs are there", () => {
    const at = (value: number): Cells => ({
      epoch: 0,
      right: [],
      judged: 0,
      mistakes: [],
      wrong: 0,
      kinds: 0,
      among: [],
      each: [],
      confused: null,
      confusion: null,
      tables: [{ causal: tabled([[value], [-1]]) }],
    });
    expect(history([at(1), null, at(4)], 0, 0, "causal", 2)).toEqual([
      [0.25, NaN, 1],
      [0, NaN, 0],
    ]);
    expect(history([null], 0, 0, "causal", 1)).toEqual([[NaN]]);
  });

  it("has neighbours by the strongest paths of the stained classes", () => {
    const paths = pathsOf(
      [
        0,
        1,
        0,
        [
          [1, 2, 1],
          [5, 2, -0.5],
        ],
      ],
      [1, -1, 0, [[2, 0, 1]]],
      [1, -1, 3, [[2, 0, 1]]],
    );
    const found = neighbours(paths, 1, 2, [0], 5);
    expect(found.from.map((one) => [one.cell, one.lowers])).toEqual([
      [1, false],
      [5, true],
    ]);
    expect(found.to.map((one) => [one.slide, one.class])).toEqual([[-1, 0]]);
  });
});
