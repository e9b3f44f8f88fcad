import { describe, expect, it } from "vitest";
import { curvePath, mean } from "../src/lib/proof";
import { both, brushes, coming, found, jaccard, sorted, spread, without, type Unit } from "../src/lib/structures";

const unit = (layer: string, number: number): Unit => ({ layer, unit: number, score: 1, low: NaN, high: NaN });
const one = [unit("h1", 3), unit("h2", 3), unit("h1", 1)];
const other = [unit("h2", 3), unit("h2", 1)];

describe("structures", () => {
  it("are sets of units, told apart by layer and number", () => {
    expect(both(one, other)).toEqual([one[1]]);
    expect(without(one, other)).toEqual([one[0], one[2]]);
    expect(jaccard(one, other)).toBe(0.25);
    expect(jaccard(one, one)).toBe(1);
    expect(jaccard([], [])).toBeNaN();
  });
  it("are brushed by layer, in the order of units", () => {
    expect(brushes(one)).toEqual([
      { layer: "h1", units: [1, 3] },
      { layer: "h2", units: [3] },
    ]);
    expect(spread(one, ["h0", "h1"])).toEqual([
      ["h1", 2],
      ["h2", 1],
    ]);
  });
  it("are told in columns, with what isn't known as nothing", () => {
    const made = found({
      layers: ["h1", "h2"],
      total: 9,
      recipe: { metric: "logodds" },
      structures: [
        { target: "3", count: 5, listed: 2, score: 1.5, causal: true },
        { target: "8", count: 1, listed: 1, score: null, causal: true },
      ],
      layer: [0, 1, 1],
      unit: [4, 0, 7],
      score: [1, 0.5, null],
      low: [null, 0.1, 0],
      high: [null, 0.9, 0],
      epoch: 3,
      edges: [[0, 4, 1, 0, 0.25]],
      every_edge: 2,
    });
    expect(made.structures[0]?.units.map((u) => [u.layer, u.unit])).toEqual([["h1", 4], ["h2", 0]]); // prettier-ignore
    expect(made.structures[1]?.units[0]?.score).toBeNaN();
    expect(made.edges[0]).toEqual({ from: { layer: "h1", unit: 4 }, to: { layer: "h2", unit: 0 }, signed: 0.25 });
  });
  it("come about epoch by epoch", () => {
    const events = {
      kinds: ["birth", "death", "owner", "freeze"],
      lasting: 3,
      every: 5,
      epoch: [2, 2, 4, 4, 4],
      kind: [0, 0, 1, 3, 0],
      class: [1, 1, 1, 1, 0],
    };
    expect(coming(events, 1, [0, 2, 4])).toEqual([
      { epoch: 0, births: 0, deaths: 0, settled: false },
      { epoch: 2, births: 2, deaths: 0, settled: false },
      { epoch: 4, births: 0, deaths: 1, settled: true },
    ]);
  });
  it("have owners, in the order of whose they are in the end and since when", () => {
    const owner = Int16Array.from([0, 1, -1, 0, 0, 1, 1, -1, 0, 1, 1, -1]); // three epochs of four cells
    expect(sorted({ layer: "h", epochs: [0, 1, 2], cells: 4, owner })).toEqual([0, 1, 2, 3]);
    const late = Int16Array.from([0, 0, 1, 0]); // two epochs of two cells
    expect(sorted({ layer: "h", epochs: [0, 1], cells: 2, owner: late })).toEqual([1, 0]);
  });
});

describe("a proof", () => {
  const cut = { accuracy: 0.5, others: null, lost: 0.5, worst: "", worst_lost: null };
  it("has a curve over the share of units, wide where there are few", () => {
    const curve = { name: "x", units: [0, 25, 100], faithful: [0, 0.5, 1], deleted: cut };
    expect(curvePath(curve, 100)).toBe("M0.0000 1.0000L0.5000 0.5000L1.0000 0.0000");
    expect(curvePath({ ...curve, faithful: [null, 0.5, 9] }, 100)).toBe("M0.5000 0.5000L1.0000 -0.1500");
  });
  it("counts what was measured", () => {
    expect(mean([cut, { ...cut, accuracy: 1 }], "accuracy")).toBe(0.75);
    expect(mean([cut], "others")).toBeNull();
  });
});
