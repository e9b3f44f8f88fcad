import { describe, expect, it } from "vitest";
import { lines, silence } from "../src/lib/asking";
import { brushed, edits, measured, rows, total, type Effect } from "../src/lib/effect";
import { cellsOf, joined, toggled, unitsOf } from "../src/lib/homes";
import { caught, edges, inside, path, type Spot } from "../src/lib/lasso";
import type { Microscope } from "../src/lib/microscope.svelte";
import { beside } from "../src/lib/source";

const map = { columns: 4, rows: 3, order: [10, 11, 12, 13, 14, 15, 16, 17, 18, 19] };

describe("a line round cells", () => {
  it("catches those whose middle lies within, and no others", () => {
    const line: Spot[] = [[0.2, 0.2], [2.2, 0.2], [2.2, 1.8], [0.2, 1.8]]; // prettier-ignore
    expect(caught(map, line)).toEqual([10, 11, 14, 15]);
    expect(caught(map, [])).toEqual([]);
    expect(caught(map, [[3.1, 2.1], [3.9, 2.1], [3.9, 2.9]])).toEqual([]); // prettier-ignore
  });
  it("may be of any form, also one that meets itself", () => {
    const hollow: Spot[] = [[0, 0], [4, 0], [4, 3], [0, 3], [0, 1], [1, 1], [1, 2], [3, 2], [3, 1], [0, 1]]; // prettier-ignore
    expect(inside(hollow, [0.5, 0.5])).toBe(true);
    expect(inside(hollow, [2, 1.5])).toBe(false);
  });
  it("is drawn where a chosen cell meets one that isn't", () => {
    expect(edges(4, map.order, new Set([11])).length).toBe(4);
    expect(edges(4, map.order, new Set([11, 15])).length).toBe(6);
    expect(edges(4, map.order, new Set(map.order)).length).toBe(14);
    expect(path(edges(4, map.order, new Set([10])), ([x, y]) => [2 * x, y])).toBe("M0 0L2 0M0 1L2 1M0 0L0 1M2 0L2 1");
  });
});

describe("units and their cells", () => {
  it("are the same where each cell shows one", () => {
    expect(cellsOf(null, [3, 1])).toEqual([3, 1]);
    expect(unitsOf(null, [3, 1])).toEqual([1, 3]);
  });
  it("are several to a cell in a large layer", () => {
    const home = [0, 1, 1, 2, 0];
    expect(unitsOf(home, [0, 2])).toEqual([0, 3, 4]);
    expect(cellsOf(home, [1, 2, 3])).toEqual([1, 2]);
  });
  it("come and go", () => {
    expect(joined([3, 5], [5, 1])).toEqual([1, 3, 5]);
    expect(toggled([1, 3], [3])).toEqual([1]);
    expect(toggled([1, 3], [4])).toEqual([1, 3, 4]);
    expect(toggled([1, 3], [3, 4])).toEqual([1]);
  });
});

const effect: Effect = {
  classes: ["a", "b", "c", "d"],
  counts: [10, 20, 0, 5],
  before: [9, 18, 0, 5],
  after: [9, 8, 0, 4],
  lost: [0, 1.5, null, 0.2],
  turned: [[1, 0, 10]],
  units: 3,
  examples: 35,
  available: 100,
  held_out: true,
  epoch: 7,
};

describe("what a cut costs", () => {
  it("is told in counts", () => {
    expect(total(effect)).toBe("32 of 35 held-out examples recognised before, 21 then");
    expect(total({ ...effect, held_out: false })).toContain("the same that units' means are of");
    expect(measured(effect, 7)).toBe("Measured in this epoch's network, on 35 of 100 examples, drawn once.");
    expect(measured({ ...effect, available: 35 }, 3)).toBe("Measured in the network that was kept, that of epoch 7.");
    expect(measured({ ...effect, epoch: null }, 3)).toContain("isn't known");
  });
  it("is shown for classes that have examples, of many for those that change most", () => {
    expect(rows(effect, 9).map((row) => row.number)).toEqual([0, 1, 3]);
    expect(rows(effect, 2).map((row) => row.number)).toEqual([1, 3]);
  });
  it("is asked for by layer", () => {
    const brushes = [{ layer: "h1", units: [1, 2] }, { layer: "h2", units: [0] }]; // prettier-ignore
    expect(edits(brushes, "scale", 0.5).edits[1]).toEqual({ layer: "h2", units: [0], verb: "scale", value: 0.5 });
    expect(edits(brushes, "delete", 0.5).edits[0]).toEqual({ layer: "h1", units: [1, 2], verb: "delete" });
    expect(brushed(brushes)).toBe("3 units of 2 layers");
    expect(brushed(brushes.slice(1))).toBe("1 unit of h2");
  });
});

describe("answers", () => {
  it("come line by line, however they are cut", async () => {
    const bytes = new TextEncoder().encode('{"share":0.5}\n{"answer":"ä"}\n{"rest":1}');
    const body = new ReadableStream<Uint8Array>({
      start(to) {
        for (const byte of bytes) to.enqueue(Uint8Array.of(byte));
        to.close();
      },
    });
    const found: string[] = [];
    for await (const line of lines(body)) found.push(line);
    expect(found).toEqual(['{"share":0.5}', '{"answer":"ä"}', '{"rest":1}']);
  });
  it("can't come from a copy of the page, or from a trace alone", () => {
    const look = (ask: unknown, alive: boolean): Microscope =>
      ({ files: { source: { ask, typed: beside("data/").typed } }, index: { alive } }) as unknown as Microscope;
    expect(silence(look(undefined, false))).toContain("a copy of the page");
    expect(silence(look(() => 0, false))).toContain("--model FILE.py:NAME");
    expect(silence(look(() => 0, true))).toBe("");
  });
});
