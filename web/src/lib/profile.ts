/** One cell: what it answers to each class or adds to it, now and at every epoch that is there; who feeds it and whom it feeds. */

import { value } from "./stain";
import type { Cells, DyeName, Paths, Table } from "./types";
import { NEVER } from "./types";

export interface Bar {
  number: number;
  value: number;
}

/** The classes with the largest values either way; at most `most`, in the order of the classes. */
export function bars(table: Table, cell: number, most: number): Bar[] {
  const every = Array.from({ length: table.classes }, (_, number) => ({ number, value: value(table, number, cell) }));
  if (every.length <= most) return every;
  const size = (bar: Bar): number => (Number.isNaN(bar.value) ? -1 : Math.abs(bar.value));
  return [...every]
    .sort((a, b) => size(b) - size(a))
    .slice(0, most)
    .sort((a, b) => a.number - b.number);
}

/** (class, epoch): 0 to 1 of the largest; not-a-number where an epoch is not there yet, or holds nothing of it. */
export function history(
  known: (Cells | null)[],
  slide: number,
  cell: number,
  dye: DyeName,
  classes: number,
): number[][] {
  const rows = Array.from({ length: classes }, () => new Array<number>(known.length).fill(NaN));
  let most = 0;
  known.forEach((cells, place) => {
    const table = cells?.tables[slide]?.[dye];
    if (!table) return;
    for (let k = 0; k < Math.min(classes, table.classes); k++) {
      if (table.steps[k * table.cells + cell] === NEVER) continue;
      const found = Math.max(0, value(table, k, cell));
      (rows[k] as number[])[place] = found;
      most = Math.max(most, found);
    }
  });
  return rows.map((row) => row.map((one) => (most > 0 ? one / most : one)));
}

export interface Neighbour {
  slide: number;
  cell: number;
  class: number;
  lowers: boolean;
}

/** The strongest paths into a cell and out of it, of the chosen classes. */
export function neighbours(
  paths: Paths,
  slide: number,
  cell: number,
  chosen: number[],
  most: number,
): { from: Neighbour[]; to: Neighbour[] } {
  const from: [number, Neighbour][] = [];
  const to: [number, Neighbour][] = [];
  for (const bundle of paths.bundles) {
    if (!chosen.includes(bundle.class)) continue;
    for (let i = bundle.at; i < bundle.at + bundle.count; i++) {
      const signed = paths.strength[i] as number;
      const rest = { class: bundle.class, lowers: signed < 0 };
      if (bundle.target === slide && paths.end[i] === cell) {
        from.push([Math.abs(signed), { slide: bundle.source, cell: paths.start[i] as number, ...rest }]);
      }
      if (bundle.source === slide && paths.start[i] === cell) {
        to.push([Math.abs(signed), { slide: bundle.target, cell: paths.end[i] as number, ...rest }]);
      }
    }
  }
  const best = (found: [number, Neighbour][]): Neighbour[] =>
    found
      .sort((a, b) => b[0] - a[0])
      .slice(0, most)
      .map((one) => one[1]);
  return { from: best(from), to: best(to) };
}
