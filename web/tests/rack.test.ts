import { describe, expect, it } from "vitest";
import { PAPER, rgb } from "../src/lib/colour";
import { centre, outline, rack, under } from "../src/lib/rack";
import { colour, scene, SILENT, STRIDE, type Looked } from "../src/lib/scene";
import type { Cells } from "../src/lib/types";
import { layer, pathsOf, tabled } from "./planted";

const SIZES: [number, number][] = [
  [1300, 760],
  [700, 420],
  [374, 500],
];
const layers = [layer("a", 400), layer("b", 37), layer("c", 10), layer("d", 1)];

describe("a rack", () => {
  it("shows each cell where a pointer finds it, within the stage, no slide on another", () => {
    for (const [width, height] of SIZES) {
      const stand = rack(layers, "causal", 10, [0], width, height);
      stand.slides.forEach((slide, number) => {
        for (let cell = 0; cell < slide.layer.cells; cell++) {
          const [x, y] = centre(slide, cell);
          expect(under(stand, x, y)).toEqual({ slide: number, cell });
        }
        for (const [x, y] of outline(slide, 3)) {
          expect(x).toBeGreaterThan(slide.centre - slide.room / 2);
          expect(x).toBeLessThan(slide.centre + slide.room / 2);
          expect(y).toBeGreaterThan(60);
          expect(y).toBeLessThan(height);
        }
      });
      expect(under(stand, 1, 1)).toBe(null);
    }
  });

  it("has a port for each of a few classes, and for the stained ones of many", () => {
    expect(rack(layers, "causal", 10, [3], 900, 600).ports.map((port) => port.number)).toEqual([...Array(10).keys()]);
    expect(rack(layers, "causal", 1000, [3, 999], 900, 600).ports.map((port) => port.number)).toEqual([3, 999]);
    expect(rack(layers, "contrast", 0, [], 900, 600).ports).toEqual([]);
  });
});

describe("a scene", () => {
  const cells: Cells = {
    epoch: 1,
    right: [],
    judged: 0,
    mistakes: [],
    wrong: 0,
    kinds: 0,
    among: [],
    each: [],
    confused: null,
    confusion: null,
    tables: [
      {
        causal: tabled([
          [1, 0, 0, 0.2],
          [0, 1, 0, 0.2],
        ]),
      },
      {
        contrast: tabled([
          [1, 1],
          [0, 1],
        ]),
      },
    ],
  };
  const paths = pathsOf(
    [
      0,
      1,
      0,
      [
        [0, 0, 1],
        [3, 1, -0.25],
      ],
    ],
    [
      1,
      -1,
      0,
      [
        [0, 0, 1],
        [1, 0, 0.5],
      ],
    ],
  );
  const stand = rack([layer("a", 4), layer("b", 2)], "causal", 2, [0, 1], 900, 600);
  const looked: Looked = {
    cells,
    paths,
    dye: "causal",
    chosen: [0, 1],
    inks: ["#cc0000", "#0000cc"],
    lamp: "bright",
    budget: 900,
    picked: null,
  };

  it("dyes cells by their class, leaves silent ones blank, and takes activity where there is no attribution", () => {
    const made = scene(stand, looked);
    const [red = 0, , blue = 0] = rgb(colour(made.slabs[0]!, 0) ?? "#000000");
    expect(red).toBeGreaterThan(blue + 0.3);
    expect(colour(made.slabs[0]!, 2)).toBe(null);
    const place = stand.slides[0]!.place[2]!;
    expect(made.slabs[0]!.pixels[4 * place + 3]).toBe(SILENT);
    expect(colour(made.slabs[1]!, 0)).not.toBe(null);
  });

  it("shines on black where it absorbs on paper", () => {
    const light = (lamp: "bright" | "dark"): number => {
      const made = scene(stand, { ...looked, lamp });
      return rgb(colour(made.slabs[0]!, 0) ?? "").reduce((a, b) => a + b) - PAPER[lamp].reduce((a, b) => a + b);
    };
    expect(light("bright")).toBeLessThan(-0.3);
    expect(light("dark")).toBeGreaterThan(0.3);
  });

  it("leads ribbons from cell to cell, and spreads them over their port in the order in which they come", () => {
    const { ribbons } = scene(stand, looked);
    expect(ribbons.length).toBe(4 * STRIDE);
    const rows = Array.from({ length: 4 }, (_, i) => [...ribbons.subarray(i * STRIDE, (i + 1) * STRIDE)]);
    const port = stand.ports[0]!;
    const ends = rows.filter((row) => Math.abs(row[2]! - (port.x - 4)) < 0.01);
    expect(ends.length).toBe(2);
    for (const row of ends) expect(Math.abs(row[3]! - port.y)).toBeLessThanOrEqual(port.height / 2);
    const byStart = [...ends].sort((a, b) => a[1]! - b[1]!);
    expect(byStart[0]![3]).toBeLessThan(byStart[1]![3]!);
    expect(rows.filter((row) => row[9] === 1).length).toBe(1);
  });

  it("lets the picked cell's ribbons stand out", () => {
    const alpha = (picked: Looked["picked"]): number[] => {
      const { ribbons } = scene(stand, { ...looked, picked });
      return [0, 1, 2, 3].map((i) => ribbons[i * STRIDE + 5]!);
    };
    const [all, own] = [alpha(null), alpha({ slide: 0, cell: 3 })];
    expect(own.filter((a, i) => a > all[i]!).length).toBe(1);
    expect(own.filter((a, i) => a < all[i]!).length).toBe(3);
  });

  it("needs neither paths nor tables", () => {
    const empty = scene(stand, { ...looked, paths: null, cells: { ...cells, tables: [{}, {}] } });
    expect(empty.ribbons.length).toBe(0);
    expect(colour(empty.slabs[0]!, 0)).toBe(null);
  });
});
