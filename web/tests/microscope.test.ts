import { flushSync } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import { VIEWS, written } from "../src/lib/address";
import { pressed } from "../src/lib/keys";
import { Microscope } from "../src/lib/microscope.svelte";
import { unsaid } from "../src/lib/standing";
import { stained, table, type Looked } from "../src/lib/scene";
import type { Stain } from "../src/lib/stain";
import type { Cells } from "../src/lib/types";
import { pathways, shifts } from "../src/lib/words";
import { Planted } from "./planted";

async function opened(hash = "", source = new Planted()): Promise<[Microscope, Planted]> {
  const look = new Microscope(source);
  await look.open(hash);
  await vi.waitFor(() => expect(look.phase !== "ready" || look.cells !== null || look.trouble !== "").toBe(true));
  return [look, source];
}

const press = (look: Microscope, key: string, shiftKey = false): boolean =>
  pressed(look, new KeyboardEvent("keydown", { key, shiftKey }), () => undefined);

afterEach(() => void vi.useRealTimers());

describe("the microscope", () => {
  it("opens at the last epoch, with the page's own stains, by what units add", async () => {
    const [look] = await opened();
    expect([look.phase, look.epoch, look.dyeHere]).toEqual(["ready", 5, "causal"]);
    expect(look.hash).toBe("#/e5");
    expect(pathways(look).counted).toContain("10 units in all 3 layers");
  });

  it("opens at an address, and is at that address", async () => {
    for (const hash of [
      "#/e1/first/n3?stain=dog,cat",
      "#/e2/second%2Fb/n1?stain=3&dye=contrast&lamp=dark",
      "#/e0?stain=",
    ]) {
      const [look] = await opened(hash);
      const [again] = await opened(look.hash);
      expect(again.address).toEqual(look.address);
    }
    const [look] = await opened("#/e1/first/n3?stain=dog,cat");
    expect(look.picked).toEqual({ slide: 0, cell: 3 });
    expect(look.stains).toEqual([1, 0]);
    expect(written(look.address)).toBe("#/e1/L_first/n3?stain=dog,cat");
  });

  it("takes a class by its name before its number, and leaves out what it does not know", async () => {
    const [look] = await opened("#/e1/nowhere/n99?stain=3,1,mouse,77");
    expect(look.stains).toEqual([2, 1]);
    expect(look.picked).toBe(null);
    const [far] = await opened("#/e4");
    expect([far.epoch, far.said]).toEqual([5, "Epoch 4 was not recorded: this is epoch 5."]);
  });

  it("shows activity where no attribution was recorded, and says so", async () => {
    const [look] = await opened("#/e0");
    expect([look.dye, look.dyeHere]).toEqual(["causal", "contrast"]);
    expect(pathways(look).sure).toMatch(/^No attribution was recorded at this epoch\. Activity on the held-out probe/);
    look.step(1);
    await vi.waitFor(() => expect(look.cells?.epoch).toBe(1));
    expect(pathways(look).sure).toContain("attribution patching, 300 probe examples");
  });

  it("dyes by a saved structure, which is the same at every epoch, and says whose it is", async () => {
    const source = new Planted();
    source.saved = ["my dog", "back"];
    const [look] = await opened("#/e2?dye=saved:my+dog", source);
    expect([look.dyeHere, look.hash]).toEqual(["structure", "#/e2?dye=saved:my+dog"]);
    const looked = { cells: look.cells as Cells, dye: look.dyeHere, chosen: look.chosen } as Looked;
    const made = stained(looked, 0) as Stain;
    expect([...made.silent]).toEqual([0, 1, 1, 0, 1, 1]);
    const depth = Array.from({ length: 3 }, (_, k) => made.depth[k]);
    expect(depth).toEqual([0, Math.fround(1.3), 0]);
    expect(table(look.cells as Cells, 1, look.dyeHere)?.dye).toBe("contrast");
    const words = pathways(look);
    expect(words.shows).toContain("adds to dog, as the saved my dog has it");
    expect(words.sure).toMatch(/Found by secant.*2 members.*nothing of the other 2 stained classes.*look at second\/b/);
    look.step(-1);
    await vi.waitFor(() => expect(look.cells?.epoch).toBe(1));
    expect(look.cells?.tables[0]?.structure).toBeDefined();
    expect(source.asked.filter((name) => name.startsWith("structures/"))).toHaveLength(1);
    look.change(true);
    await vi.waitFor(() => expect(look.before).not.toBe(null));
    expect(look.dyeHere).toBe("contrast");
    expect(shifts(look, null).shows).not.toContain("structure");
  });

  it("goes through all dyes by T, and stains the class that a structure speaks for", async () => {
    const source = new Planted();
    source.saved = ["my dog", "back"];
    const [look] = await opened("#/e5?stain=cat,3", source);
    press(look, "t");
    expect([look.dye, look.structure]).toEqual(["contrast", null]);
    press(look, "t");
    await vi.waitFor(() => expect(look.stains).toEqual([1]));
    expect([look.dye, look.dyeHere, look.hash]).toEqual(["causal", "structure", "#/e5?stain=dog&dye=saved:my+dog"]);
    press(look, "t");
    await vi.waitFor(() => expect(look.stainer?.name).toBe("back"));
    const made = stained({ cells: look.cells as Cells, dye: look.dyeHere, chosen: [1] } as Looked, 0) as Stain;
    expect([made.depth[0], made.grey[0]]).toEqual([0, Math.fround(0.9)]); // of no single class: grey
    press(look, "t");
    expect([look.dye, look.structure]).toEqual(["causal", null]);
  });

  it("says so where a structure is not there, or can't be read, and dyes by what was recorded", async () => {
    const source = new Planted();
    source.saved = ["my dog"];
    const [look] = await opened("#/e5?dye=saved:cat", source);
    expect([look.dyeHere, look.said]).toEqual([
      "causal",
      "No structure cat was saved of this run, only my dog: the usual dye stands in.",
    ]);
    source.failing = "structures/dye";
    const [broken] = await opened("#/e5?dye=saved:my+dog", source);
    expect([broken.dyeHere, broken.said, broken.hash]).toEqual(["causal", "it is gone", "#/e5"]);
  });

  it("keeps what is brushed and gathered in its address, and says what is not there", async () => {
    const source = new Planted();
    source.examples = 50;
    const [look] = await opened("#/e1?brush=first:0,2-3;second%2Fb:1&examples=7-9,4", source);
    expect(look.brushing.all).toEqual([
      { layer: "first", units: [0, 2, 3] },
      { layer: "second/b", units: [1] },
    ]);
    expect(look.gathered).toEqual([7, 8, 9, 4]);
    expect(look.hash).toBe("#/e1?brush=first:0,2-3;second%2Fb:1&examples=7-9,4");
    look.brushing.clear();
    look.gathered = [];
    expect(look.hash).toBe("#/e1");
    look.goTo("#/e1?brush=first:5-9");
    expect([look.brushing.all, look.said]).toEqual([
      [{ layer: "first", units: [5] }],
      "first: not all of these units are there.",
    ]);
    look.goTo("#/e1?examples=48-52");
    expect([look.gathered, look.said]).toEqual([[48, 49], "There are examples 0 to 49 alone."]);
    look.goTo("#/e1?brush=first&cell=cat-mouse&lamp=dark");
    expect([look.lamp, look.said]).toEqual([
      "dark",
      "brush=first means nothing here: it is units by layer, hidden_1:3-7,12;hidden_2:4.",
    ]);
    look.gathered = Array.from({ length: 2000 }, (_, i) => 2 * i);
    expect(look.hash).not.toContain("examples");
    expect(unsaid(look)).toContain("leaves out the gathered examples");
  });

  it("is driven by keys", async () => {
    const [look] = await opened();
    press(look, "ArrowLeft");
    expect(look.epoch).toBe(2);
    press(look, "ArrowLeft", true);
    expect(look.epoch).toBe(0);
    press(look, "End");
    expect(look.epoch).toBe(5);
    press(look, "1");
    expect(look.stains).toEqual([0, 2]);
    press(look, "1");
    expect(look.stains).toEqual([0, 1, 2]);
    expect(press(look, "7")).toBe(false);
    press(look, "\\");
    expect(look.stains).toEqual([]);
    press(look, "]");
    expect(look.picked).toEqual({ slide: 0, cell: 5 });
    press(look, ".");
    expect(look.picked).toEqual({ slide: 0, cell: 4 });
    press(look, "]");
    expect(look.picked).toEqual({ slide: 1, cell: 3 });
    press(look, "\\");
    press(look, "Enter");
    expect([look.view, look.hash]).toEqual(["neuron", "#/e5/second%2Fb/n3?view=neuron"]);
    press(look, "Escape");
    expect(look.view).toBe("pathways");
    press(look, "Escape");
    expect(look.picked).toBe(null);
    press(look, "v");
    expect(look.hash).toBe("#/e5/second%2Fb?view=layers");
    for (const view of VIEWS.slice(2)) {
      press(look, "v");
      expect(look.view).toBe(view);
    }
    press(look, "v");
    expect(look.hash).toBe("#/e5");
    press(look, "t");
    expect(look.dye).toBe("contrast");
    press(look, "D");
    expect(look.lamp).toBe("dark");
    press(look, "?");
    expect(look.sheet).toBe(true);
    expect(press(look, "q")).toBe(false);
  });

  it("leaves keys to what is typed into", async () => {
    const [look] = await opened();
    const field = document.createElement("input");
    const event = new KeyboardEvent("keydown", { key: "d" });
    Object.defineProperty(event, "target", { value: field });
    expect(pressed(look, event, () => undefined)).toBe(false);
    expect(look.lamp).toBe("bright");
  });

  it("sees one class alone while it is pointed at", async () => {
    const [look] = await opened();
    look.alone = 1;
    flushSync();
    expect(look.chosen).toEqual([1]);
    look.alone = null;
    expect(look.chosen).toEqual([0, 1, 2]);
  });

  it("has dyes for ten classes at a time", async () => {
    const source = new Planted();
    source.classes = Array.from({ length: 30 }, (_, k) => `class ${k}`);
    const [look] = await opened("", source);
    for (let k = 0; k < 12; k++) if (!look.stains.includes(k)) look.toggle(k);
    expect(look.stains.length).toBe(10);
    expect(look.stains).toContain(11);
  });
});

describe("a run that", () => {
  it("is still recorded is followed from its end, and left alone elsewhere", async () => {
    const source = new Planted();
    source.closed = false;
    const [look] = await opened("", source);
    source.epochs = [...source.epochs, 6];
    await look.refresh();
    expect(look.epoch).toBe(6);
    look.step(-2);
    source.epochs = [...source.epochs, 7];
    source.closed = true;
    await look.refresh();
    expect([look.epoch, look.index?.epochs.length]).toEqual([2, 6]);
  });

  it("has no epoch yet is waited for", async () => {
    const source = new Planted();
    [source.epochs, source.closed] = [[], false];
    const [look] = await opened("#/e9", source);
    expect(look.phase).toBe("waiting");
    source.epochs = [1];
    await look.refresh();
    expect([look.phase, look.epoch]).toEqual(["ready", 1]);
  });

  it("cannot be shown, or had, says why", async () => {
    const source = new Planted();
    source.refused = "No layer's activity is in this trace.";
    expect((await opened("", source))[0]).toMatchObject({ phase: "broken", trouble: source.refused });
    const gone = new Planted();
    gone.failing = "index";
    expect((await opened("", gone))[0]).toMatchObject({ phase: "broken", trouble: "it is gone" });
  });

  it("holds an epoch that cannot be read goes on with the others", async () => {
    const source = new Planted();
    source.failing = "cells/2";
    const [look] = await opened("#/e2", source);
    expect(look.trouble).toBe("it is gone");
    look.step(1);
    await vi.waitFor(() => expect(look.cells?.epoch).toBe(5));
    expect(look.trouble).toBe("");
  });
});
