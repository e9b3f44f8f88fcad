/** What a painter is given: pictures of cells, and ribbons as plain numbers; everything is decided here, nothing there. */

import type { Lamp } from "./address";
import { along, difference, limit, traffic, type Traffic } from "./change";
import { ends, hex, mixer, ramp, rgb, type Light } from "./colour";
import { centre, type Point, type Rack, type Slide } from "./rack";
import { drawn, type Ribbon } from "./share";
import { MIXED, stain, type Stain } from "./stain";
import type { Cells, DyeName, Paths, Table } from "./types";

export interface Slab {
  slide: Slide;
  /** A pixel a place: its colour, and as alpha 255; SILENT where the cell answers to nothing, 0 where there is none. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  /** The share of a cell's side that is left free. */
  gap: number;
}

/** Ribbons, STRIDE numbers each: start x y, end x y, width, alpha, red green blue, dashed, which dye. */
export interface Scene {
  width: number;
  height: number;
  lamp: Lamp;
  slabs: Slab[];
  ribbons: Float32Array<ArrayBuffer>;
  /** Do dyes mix where ribbons cross, as in a stain, or does one lie over the other? */
  mixed: boolean;
  inks: Light[];
}

export const STRIDE = 11;
export const SILENT = 1;

export interface Looked {
  cells: Cells;
  paths: Paths | null;
  dye: DyeName;
  chosen: number[];
  inks: string[];
  lamp: Lamp;
  budget: number;
  /** The cell whose ribbons stand out. */
  picked: { slide: number; cell: number } | null;
}

/** The table that a layer is dyed by, and by which dye: activity where there is no attribution. */
export function table(cells: Cells, layer: number, dye: DyeName): { table: Table; dye: DyeName } | null {
  const found = cells.tables[layer];
  const own = found?.[dye];
  if (own) return { table: own, dye };
  return found?.contrast ? { table: found.contrast, dye: "contrast" } : null;
}

export function stained(looked: Looked, layer: number): Stain | null {
  const found = table(looked.cells, layer, looked.dye);
  return found && stain(found.table, found.dye, found.table.classes > 1 ? looked.chosen : []);
}

export function scene(rack: Rack, looked: Looked): Scene {
  const mix = mixer(looked.inks, looked.lamp);
  const slabs = rack.slides.map((slide, layer) => slab(slide, stained(looked, layer), mix, looked.inks.length));
  const dye = new Map(looked.chosen.map((number, place) => [number, place]));
  const shown = looked.paths ? drawn(looked.paths, looked.chosen, looked.budget) : [];
  return {
    width: rack.width,
    height: rack.height,
    lamp: looked.lamp,
    slabs,
    ribbons: ribbons(rack, shown, (one) => dye.get(one.class) ?? 0, looked.inks, looked.picked),
    mixed: looked.chosen.length <= MIXED,
    inks: looked.inks.map(rgb),
  };
}

function slab(slide: Slide, found: Stain | null, mix: ReturnType<typeof mixer>, inks: number): Slab {
  if (found === null) return dabbed(slide, () => null);
  return dabbed(slide, (cell) =>
    found.silent[cell] === 1 ? null : mix(found.grey[cell] as number, found.depth, cell * inks),
  );
}

/** Each cell as it is lit; a dot where it is not. */
function dabbed(slide: Slide, lit: (cell: number) => Light | null): Slab {
  const pixels = new Uint8ClampedArray(slide.columns * slide.rows * 4);
  slide.order.forEach((cell, place) => {
    const light = lit(cell);
    if (light !== null) for (let i = 0; i < 3; i++) pixels[4 * place + i] = 255 * (light[i] as number);
    pixels[4 * place + 3] = light === null ? SILENT : 255;
  });
  return { slide, pixels, gap: slide.side >= 5 ? 0.1 : 0 };
}

export interface Changed {
  scene: Scene;
  /** By slide, of each cell; what the deepest colours stand for; the paths that came and went. */
  cells: Float32Array[];
  most: number;
  traffic: Traffic | null;
}

/** How much of what one of two looks shows is not in the other: cells from teal over paper to vermilion, paths in one of both. */
export function changed(rack: Rack, looked: Looked, before: Pick<Looked, "cells" | "paths">): Changed {
  const { lamp, chosen, budget, dye } = looked;
  const light = ramp("change", lamp);
  const tables = rack.slides.map((_, layer) => pair(before.cells, looked.cells, layer, dye));
  const cells = tables.map((both) =>
    both === null ? new Float32Array(0) : difference(both[0], both[1], both[1].classes > 1 ? chosen : []),
  );
  const most = limit(cells);
  const slabs = rack.slides.map((slide, layer) =>
    dabbed(slide, (cell) => {
      const by = cells[layer]?.[cell] ?? NaN;
      return Number.isNaN(by) ? null : light(along(by, most));
    }),
  );
  const found = before.paths && looked.paths ? traffic(before.paths, looked.paths, chosen, budget) : null;
  const inks = [ends(lamp).less, ends(lamp).more];
  const come = new Set(found?.come);
  const shown = found ? [...found.gone, ...found.come].sort((a, b) => a.strength - b.strength) : [];
  const strokes = ribbons(rack, shown, (one) => (come.has(one) ? 1 : 0), inks, looked.picked);
  const { width, height } = rack;
  return {
    scene: { width, height, lamp, slabs, ribbons: strokes, mixed: true, inks: inks.map(rgb) },
    cells,
    most,
    traffic: found,
  };
}

/** A layer's tables at two epochs, of the same dye; null where one has none. */
export function pair(before: Cells, now: Cells, layer: number, dye: DyeName): [Table, Table] | null {
  const found = table(now, layer, dye);
  const then = found && before.tables[layer]?.[found.dye];
  return found && then ? [then, found.table] : null;
}

/** The colour of a cell on a slab, for tests and tips; null where it is blank. */
export function colour(slab: Slab, cell: number): string | null {
  const at = 4 * (slab.slide.place[cell] ?? 0);
  if (slab.pixels[at + 3] !== 255) return null;
  return hex([0, 1, 2].map((i) => (slab.pixels[at + i] as number) / 255) as Light);
}

function ribbons(
  rack: Rack,
  shown: Ribbon[],
  dyed: (one: Ribbon) => number,
  inks: string[],
  picked: Looked["picked"],
): Float32Array<ArrayBuffer> {
  const found = new Float32Array(shown.length * STRIDE);
  const lights = inks.map(rgb);
  const at = spread(rack, shown);
  const scale = Math.min(1, Math.max(0.6, rack.width / 1400));
  shown.forEach((one, i) => {
    const which = dyed(one);
    const start = centre(rack.slides[one.source] as Slide, one.start, 0.5);
    const end = one.target < 0 ? (at[i] as Point) : centre(rack.slides[one.target] as Slide, one.end, -0.5);
    const dense = Math.min(0.6, Math.max(0.2, 0.24 * (135_000 / (one.crowd * shown.length)) ** 0.25));
    const alpha = one.strength ** 0.65 * dense * (one.lowers ? 0.55 : 1) * standing(one, picked);
    const wide = (0.8 + 2.8 * Math.sqrt(one.strength)) * scale;
    const light = lights[which] as Light;
    found.set([...start, ...end, wide, Math.min(alpha, 1), ...light, one.lowers ? 1 : 0, which], i * STRIDE);
  });
  return found;
}

/** Where ribbons reach their port: spread over its height, in the order in which they come. */
function spread(rack: Rack, shown: Ribbon[]): Point[] {
  const found: Point[] = [];
  const coming = new Map<number, [number, number][]>();
  shown.forEach((one, i) => {
    if (one.target !== -1) return;
    const here = coming.get(one.class) ?? [];
    here.push([i, centre(rack.slides[one.source] as Slide, one.start)[1]]);
    coming.set(one.class, here);
  });
  for (const port of rack.ports) {
    const here = (coming.get(port.number) ?? []).sort((a, b) => a[1] - b[1]);
    here.forEach(([i], rank) => (found[i] = [port.x - 4, port.y + port.height * ((rank + 0.5) / here.length - 0.5)]));
  }
  return found;
}

/** Ribbons of the picked cell stand out, the others step back. */
function standing(one: Ribbon, picked: Looked["picked"]): number {
  if (picked === null) return 1;
  const touches =
    (one.source === picked.slide && one.start === picked.cell) ||
    (one.target === picked.slide && one.end === picked.cell);
  return touches ? 2.2 : 0.16;
}
