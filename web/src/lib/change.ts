/** What is different between two epochs: of each cell, and which paths came and went. Nothing changed: paper. */

import { drawn, type Ribbon } from "./share";
import { value } from "./stain";
import type { Paths, Table } from "./types";

/** The share of the full depth above which a cell is counted as changed. */
export const NOTICED = 0.05;
const STEPS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** Of each cell, the change of that chosen class which changed most (of all classes' mean where none is chosen), in parts of
 * the full depth; not-a-number where one of the two was not recorded. */
export function difference(before: Table, now: Table, chosen: number[]): Float32Array {
  const found = new Float32Array(now.cells);
  const full = now.full || 1;
  for (let cell = 0; cell < now.cells; cell++) {
    found[cell] = (chosen.length > 0 ? most(before, now, chosen, cell) : mean(before, now, cell)) / full;
  }
  return found;
}

function most(before: Table, now: Table, chosen: number[], cell: number): number {
  let found = NaN;
  for (const k of chosen) {
    const by = value(now, k, cell) - value(before, k, cell);
    if (Number.isNaN(found) || Math.abs(by) > Math.abs(found)) found = by;
  }
  return found;
}

function mean(before: Table, now: Table, cell: number): number {
  let [sum, known] = [0, 0];
  for (let k = 0; k < now.classes; k++) {
    const by = value(now, k, cell) - value(before, k, cell);
    if (!Number.isNaN(by)) [sum, known] = [sum + by, known + 1];
  }
  return known > 0 ? sum / known : NaN;
}

/** What the deepest colours stand for, either way: a round share of the full depth that all but one cell in two hundred keep to. */
export function limit(changes: Float32Array[]): number {
  const sizes = changes.flatMap((one) => [...one].filter(Number.isFinite).map(Math.abs)).sort((a, b) => a - b);
  const reach = sizes[Math.ceil(0.995 * (sizes.length - 1))] ?? 0;
  return STEPS.find((step) => step >= reach) ?? (STEPS.at(-1) as number);
}

/** Where on the ramp a change is: 0.5 is none. */
export function along(change: number, most: number): number {
  return 0.5 + Math.min(1, Math.max(-1, change / most)) / 2;
}

/** How many cells changed so that it shows. */
export function noticed(changes: Float32Array[]): number {
  return changes.reduce((sum, one) => sum + one.filter((by) => Math.abs(by) > NOTICED).length, 0);
}

export interface Traffic {
  /** Among the strongest paths now and not before, before and not now; and how many are among both. */
  come: Ribbon[];
  gone: Ribbon[];
  both: number;
}

export function traffic(before: Paths, now: Paths, chosen: number[], budget: number): Traffic {
  const [then, here] = [drawn(before, chosen, budget), drawn(now, chosen, budget)];
  const [was, is] = [new Set(then.map(key)), new Set(here.map(key))];
  const come = here.filter((one) => !was.has(key(one)));
  return { come, gone: then.filter((one) => !is.has(key(one))), both: here.length - come.length };
}

function key(one: Ribbon): string {
  return `${one.class}/${one.source}.${one.start}/${one.target}.${one.end}`;
}
