/** What was recorded of cells, as depths of counterstain and dyes: the same sums as nissl's own pictures make of it. */

import { MOST, NEVER, type DyeName, type Table } from "./types";

export interface Stain {
  grey: Float32Array;
  /** (cell, dye). */
  depth: Float32Array;
  silent: Uint8Array;
}

/** Dyes that are still told apart where they mix; of more, a cell takes only the one of its foremost class. */
export const MIXED = 3;
const SHARED = 1.15;
const GREY = 0.6;
const MANY = 0.9;
const FOREIGN = 0.25;

export function stain(table: Table, dye: DyeName, chosen: number[]): Stain {
  const made: Stain = {
    grey: new Float32Array(table.cells),
    depth: new Float32Array(table.cells * chosen.length),
    silent: new Uint8Array(table.cells),
  };
  const values = new Float64Array(table.classes);
  for (let cell = 0; cell < table.cells; cell++) {
    (dye === "contrast" ? answers : adds)(table, cell, values, chosen, made);
  }
  return made;
}

/** A recorded value; not-a-number where nobody measured. */
export function value(table: Table, number: number, cell: number): number {
  const step = table.steps[number * table.cells + cell] as number;
  return step === NEVER ? NaN : (step / MOST) * table.most;
}

/** Did any example tell of this class? A table without such has nothing of it at all. */
export function heard(table: Table, number: number): boolean {
  const from = number * table.cells;
  for (let at = from; at < from + table.cells; at++) if (table.steps[at] !== NEVER) return true;
  return false;
}

/** Dye is what the answer to a class is above 1.15 times the mean over the classes, grey that mean. */
function answers(table: Table, cell: number, values: Float64Array, chosen: number[], made: Stain): void {
  let known = 0;
  let mean = 0;
  let silent = 1;
  for (let k = 0; k < table.classes; k++) {
    const scaled = Math.min(value(table, k, cell) / table.full, 1.2);
    const heard = Math.abs(scaled) < 1e-6 ? 0 : scaled;
    known += Number.isNaN(heard) ? 0 : 1;
    if (heard !== 0 && !Number.isNaN(heard)) silent = 0;
    values[k] = heard > 0 ? heard : 0;
    mean += values[k] as number;
  }
  mean /= Math.max(known, 1);
  made.grey[cell] = GREY * mean;
  made.silent[cell] = silent;
  if (table.classes < 2) return;
  const most = 1 - SHARED / table.classes;
  const at = cell * chosen.length;
  chosen.forEach((k, place) => (made.depth[at + place] = Math.max(0, (values[k] as number) - SHARED * mean) / most));
  if (chosen.length > MIXED) foremost(made.depth, at, chosen.length);
}

/** Dye is how far a unit is one class's own, grey what it adds to many; depth is the root of the most that it adds. */
function adds(table: Table, cell: number, values: Float64Array, chosen: number[], made: Stain): void {
  let most = 0;
  let total = 0;
  for (let k = 0; k < table.classes; k++) {
    const found = value(table, k, cell);
    const share = found > 0 ? found : 0;
    values[k] = share;
    most = Math.max(most, share);
    total += share;
  }
  made.silent[cell] = most === 0 ? 1 : 0;
  if (most === 0) return;
  let entropy = 0;
  for (const share of values) if (share > 0) entropy -= (share / total) * Math.log(share / total);
  const own = Math.sqrt(Math.max(0, 1 - entropy / Math.log(Math.max(table.classes, 2))));
  const depth = Math.sqrt(Math.min(most / table.full, 1));
  const at = cell * chosen.length;
  const parts = chosen.map((k) => ((values[k] as number) / most) * own);
  const first = parts.indexOf(Math.max(...parts));
  let part = 0;
  parts.forEach((share, place) => {
    const kept = chosen.length <= MIXED || place === first ? share : 0;
    made.depth[at + place] = 1.3 * depth * kept;
    part = Math.max(part, kept);
  });
  made.grey[cell] = depth * (MANY * (1 - own) + FOREIGN * (own - part));
}

function foremost(depth: Float32Array, at: number, count: number): void {
  const most = Math.max(...depth.subarray(at, at + count));
  for (let place = at; place < at + count; place++) if (depth[place] !== most) depth[place] = 0;
}
