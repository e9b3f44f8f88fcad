/** A layer's cells flat on a slide, one map for each class: the same cell in the same place on every one of them. */

import type { Lamp } from "./address";
import { along } from "./change";
import { mixer, PAPER, ramp, type Light } from "./colour";
import { ordered } from "./rack";
import { stain, value } from "./stain";
import type { DyeName, LayerInfo, Table } from "./types";

/** The deepest that a dye is, and in how many steps a picture of one class shows it. */
const DEEPEST = 1.2;
const FINE = 1024;

export interface Flat {
  columns: number;
  rows: number;
  order: number[];
}

/** About as wide as high. */
export function flat(layer: LayerInfo, dye: DyeName): Flat {
  const order = ordered(layer, dye);
  const columns = Math.max(1, Math.ceil(Math.sqrt(order.length)));
  return { columns, rows: Math.max(1, Math.ceil(order.length / columns)), order };
}

/** 0 to 1 and a little more: how deep one class's dye is in each cell. */
export function depths(table: Table, dye: DyeName, number: number): Float32Array {
  const found = new Float32Array(table.cells);
  for (let cell = 0; cell < table.cells; cell++) {
    const share = Math.max(0, value(table, number, cell) / table.full) || 0;
    found[cell] = dye === "contrast" ? Math.min(share, 1.2) : Math.sqrt(Math.min(share, 1));
  }
  return found;
}

/** How many cells serve each class more than any other. */
export function owned(table: Table): number[] {
  const found = new Array<number>(table.classes).fill(0);
  for (let cell = 0; cell < table.cells; cell++) {
    const best = foremost(table, cell);
    if (best >= 0) found[best] = (found[best] ?? 0) + 1;
  }
  return found;
}

/** The class that a cell serves most; -1 where it serves none. */
export function foremost(table: Table, cell: number): number {
  let best = -1;
  let most = 0;
  for (let k = 0; k < table.classes; k++) {
    const found = value(table, k, cell);
    if (found > most) [best, most] = [k, found];
  }
  return best;
}

/** The cells that serve a class most, the strongest first. */
export function strongest(table: Table, number: number, count: number): number[] {
  const { steps } = table;
  const from = number * table.cells;
  const best: number[] = []; // few are wanted of many: to sort all of them for each class is what a step would wait for
  for (let cell = 0; cell < table.cells; cell++) {
    const step = steps[from + cell] as number;
    if (step <= 0 || (best.length === count && step <= (steps[from + (best.at(-1) as number)] as number))) continue;
    let at = best.length;
    while (at > 0 && (steps[from + (best[at - 1] as number)] as number) < step) at -= 1;
    best.splice(at, 0, cell);
    if (best.length > count) best.pop();
  }
  return best;
}

/** A map of one class as a picture, a pixel a cell. */
export function single(map: Flat, found: Float32Array, ink: string, lamp: Lamp): ImageData {
  const mix = mixer([ink], lamp);
  const lights = Float64Array.from({ length: FINE }, (_, step) => (step / (FINE - 1)) * DEEPEST);
  const known = Array.from(lights, (_, step) => mix(0, lights, step)); // not once a cell: these are a thousand, cells may be ten
  const each = (FINE - 1) / DEEPEST;
  return picture(map, (cell) => known[Math.round(Math.min(DEEPEST, found[cell] ?? 0) * each)] as Light, lamp);
}

/** The map of all chosen classes, as cells are dyed in the rack. */
export function mixed(map: Flat, table: Table, dye: DyeName, chosen: number[], inks: string[], lamp: Lamp): ImageData {
  const made = stain(table, dye, table.classes > 1 ? chosen : []);
  const mix = mixer(inks, lamp);
  return picture(map, (cell) => mix(made.grey[cell] as number, made.depth, cell * inks.length), lamp);
}

/** The map of a change, from teal over paper to vermilion. */
export function shift(map: Flat, changes: Float32Array, most: number, lamp: Lamp): ImageData {
  const light = ramp("change", lamp);
  return picture(map, (cell) => light(along(changes[cell] ?? 0, most)), lamp);
}

function picture(map: Flat, light: (cell: number) => Light, lamp: Lamp): ImageData {
  const made = new ImageData(map.columns, map.rows);
  for (let place = 0; place < map.columns * map.rows; place++) {
    const cell = map.order[place];
    const found = cell === undefined ? PAPER[lamp] : light(cell);
    for (let i = 0; i < 3; i++) made.data[4 * place + i] = 255 * (found[i] as number);
    made.data[4 * place + 3] = 255;
  }
  return made;
}
