import { describe, expect, it } from "vitest";
import { NOWHERE, parse, read, VIEWS, written, type Address } from "../src/lib/address";
import addresses from "./addresses.json";

describe("an address", () => {
  it("is the trace's own", () => {
    const found = parse("#/e30/hidden_1/n20?stain=3,8&vs=e12&sample=1041&target=3-a%2Db&dye=contrast&lamp=dark");
    expect(found).toEqual({
      view: null,
      epoch: 30,
      layer: "hidden_1",
      unit: 20,
      stains: ["3", "8"],
      dye: "contrast",
      lamp: "dark",
      versus: 12,
      compared: true,
      sample: 1041,
      target: ["3", "a-b"],
      other: null,
      brush: null,
      examples: null,
      cell: null,
    });
    expect(parse("#/e30?vs=run:e12")).toEqual({ ...NOWHERE, epoch: 30, other: 12 });
    expect(parse("#/e30?mark=e12")).toEqual({ ...NOWHERE, epoch: 30, versus: 12 });
    expect(parse("#/E_30/L_hidden_1/n_20")).toEqual({ ...NOWHERE, epoch: 30, layer: "hidden_1", unit: 20 });
  });

  it("comes back as it was written, whatever names are like", () => {
    const odd = ["a b", "<b>", "x,y", "50%", "e/1", "n20", "ä?&=#", "L_x", "+", "../..", "🧠", "%2F", "a-b"];
    for (let i = 0; i < 400; i++) {
      const pick = <T>(from: T[]): T => from[Math.floor(Math.random() * from.length)] as T;
      const layer = pick([null, ...odd.filter((name) => !name.startsWith("L_"))]);
      const versus = pick([null, 0, 12]);
      const at: Address = {
        view: pick([null, ...VIEWS]),
        epoch: Math.floor(Math.random() * 1000),
        layer,
        unit: layer === null ? null : pick([null, 0, 20]),
        stains: pick([null, [], odd, [pick(odd)]]),
        dye: pick<Address["dye"]>([null, "causal", "contrast", `saved:${pick(odd)}`]),
        lamp: pick([null, "bright", "dark"]),
        versus,
        other: pick([null, 0, 7]),
        compared: versus !== null && Math.random() < 0.5,
        sample: pick([null, 0, 1041]),
        target: pick([null, ["3"], [pick(odd), "8-9"], ["-", pick(odd)]]),
        brush: pick([
          null,
          [
            { layer: pick(odd), units: [3, 4, 5, 12] },
            { layer: "x;:", units: [0] },
          ],
        ]),
        examples: pick([null, [0], [1, 2, 3, 70], [70, 2, 3, 1]]),
        cell: pick([null, { is: pick(odd), said: pick(odd), epoch: pick([null, 0, 12]) }]),
      };
      expect(parse(written(at))).toEqual(at);
    }
  });

  it("is read as Python reads it, and what means nothing is said", () => {
    const known = addresses as { text: string; says?: Partial<Address>; wrong?: string }[];
    for (const { text, says, wrong } of known) {
      const found = read(`#/${text}`);
      if (wrong === undefined) {
        expect([text, found.wrong]).toEqual([text, []]);
        expect(found.at).toEqual({ ...NOWHERE, ...says });
        expect(written(found.at)).toBe(`#/${text}`);
      } else expect(found.wrong.join(" ")).toContain(wrong);
    }
  });

  it("of nonsense is nowhere", () => {
    for (const odd of ["", "#", "#/", "#/x", "#/ex/y", "#//?", "#?dye=blue&lamp=red&vs=x&sample=-1&&=", "#/%E0%A4%A"]) {
      expect(parse(odd)).toEqual(NOWHERE);
    }
    expect(parse("#/e3/%E0%A4%A/n1").layer).toBe("%E0%A4%A");
  });
});
