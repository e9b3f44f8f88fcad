/** One unit of a large layer over all epochs, read by itself: its cell shows the mean of many. */

import type { Files } from "./files";
import { value } from "./stain";
import type { Recorded, Table } from "./types";
import { unpack } from "./unpack";

/** By dye, tables (class, epoch): what stands for a cell elsewhere is an epoch's place here. */
export type Single = Partial<Record<Recorded, Table>>;

export function single(files: Files, slide: number, unit: number): Promise<Single> {
  return files.part(`history/${slide}.${unit}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const listed = head.arrays as { name: Recorded; shape: [number, number] }[];
    const tables = head.tables as Record<Recorded, { most: number; full: number }>;
    return Object.fromEntries(
      listed.map(({ name, shape: [classes, cells] }) => [
        name,
        { steps: arrays.get(name) as Int16Array, classes, cells, ...tables[name] },
      ]),
    );
  });
}

/** (class, epoch): 0 to 1 of the most that it ever reaches; null where an epoch holds nothing of it. */
export function course(table: Table): (number | null)[][] {
  const rows = Array.from({ length: table.classes }, (_, number) =>
    Array.from({ length: table.cells }, (_, place) => value(table, number, place)),
  );
  const most = Math.max(0, ...rows.map((row) => Math.max(...row.map((one) => one || 0)))) || 1;
  return rows.map((row) => row.map((one) => (Number.isNaN(one) ? null : Math.max(0, one) / most)));
}
