/** What names and numbers of an address mean in a run. */

import type { Microscope } from "./microscope.svelte";
import type { Shown } from "./types";

export interface Cell {
  slide: number;
  cell: number;
  /** In a layer with more units than cells, the one of them that is meant; else the cell's first. */
  unit?: number;
}

/** The slide of a layer; -1 where it has none. */
export function slideOf(index: Shown | null, name: string | null): number {
  return index?.layers.findIndex((one) => one.name === name || one.name === `L_${name}`) ?? -1;
}

/** The cell that shows a unit; null where none does. */
export function cellOf(index: Shown | null, name: string | null, unit: number): Cell | null {
  const slide = slideOf(index, name);
  const layer = index?.layers[slide];
  if (layer === undefined) return null;
  const cell = layer.first ? layer.first.indexOf(unit) : unit;
  return cell >= 0 && cell < layer.cells ? { slide, cell } : null;
}

/** Keeps a unit that is not the first of its cell, once that cell is known; unless something else was chosen meanwhile. */
export async function reach(look: Microscope, name: string | null, unit: number): Promise<void> {
  const slide = slideOf(look.index, name);
  const layer = look.layer(slide);
  if (layer?.first === undefined || unit >= layer.units) return;
  const before = look.picked;
  const cell = (await look.brushing.home(slide))?.[unit];
  if (cell !== undefined && look.picked === before) look.pick({ slide, cell, unit });
}

/** A class by its name, or by its number where none is called so. */
export function classOf(index: Shown | null, name: string): number {
  const classes = index?.classes ?? [];
  const known = classes.indexOf(name);
  return known >= 0 || !/^\d+$/.test(name) || Number(name) >= classes.length ? known : Number(name);
}

/** What went wrong, in words. */
export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Look at a layer by its name, and at one of its units; says so where the page shows neither. */
export function visit(look: Microscope, name: string, unit: number | null = null): void {
  const slide = slideOf(look.index, name);
  if (slide < 0)
    return look.tell(`${name} has no slide on this page: it shows ${look.index?.layers.length ?? 0} layers.`);
  look.slide = slide;
  if (unit === null) {
    if (look.picked?.slide !== slide) look.pick(null);
    return;
  }
  const cell = cellOf(look.index, name, unit);
  look.pick(cell);
  if (cell === null) void reach(look, name, unit).catch((error: unknown) => look.tell(said(error)));
}
