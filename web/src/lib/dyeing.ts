/** What cells are dyed by: what was recorded of them, or what a structure that somebody saved says of them. */

import type { Microscope } from "./microscope.svelte";
import type { Known } from "./structures";
import type { Cells, Recorded, Table } from "./types";
import { unpack } from "./unpack";
import { said } from "./where";

/** A saved structure as a dye. */
export interface Stainer {
  /** Its place among the saved ones, and its name. */
  place: number;
  name: string;
  target: string;
  /** The class that it speaks for; -1: of no single one. */
  class: number;
  causal: boolean;
  /** How many units are its members. */
  count: number;
  by: string;
  /** By slide; none where it did not look. */
  tables: (Table | undefined)[];
}

/** The names of the structures that were saved of this run. */
export function saved(look: Microscope): string[] {
  return (look.index?.parts?.structures as Known | undefined)?.saved ?? [];
}

export interface Choice {
  dye: Recorded;
  /** A saved structure's place. */
  structure: number | null;
  name: string;
}

const NAMES: Record<Recorded, string> = { causal: "what it adds", contrast: "activity" };

/** Every dye that this run allows, the usual one first. */
export function dyesOf(look: Microscope): Choice[] {
  const recorded = (look.index?.dyes ?? []).map(({ name: dye }) => ({ dye, structure: null, name: NAMES[dye] }));
  const usual = recorded[0]?.dye ?? "contrast";
  return [...recorded, ...saved(look).map((name, structure) => ({ dye: usual, structure, name }))];
}

/** The place of the one that is chosen. */
export function chosen(look: Microscope, among = dyesOf(look)): number {
  return among.findIndex((one) =>
    look.structure === null ? one.structure === null && one.dye === look.dye : one.structure === look.structure,
  );
}

/** The one after it. */
export function after(look: Microscope): Choice {
  const among = dyesOf(look);
  return among[(chosen(look, among) + 1) % among.length] as Choice;
}

/** Tables of all classes, in which only one has anything; all alike, so that they are grey, where it speaks for no single one. */
export function stainer(whole: ArrayBuffer, place: number, name: string, layers: number, classes: number): Stainer {
  const { head, arrays } = unpack(whole);
  const whose = head as unknown as Omit<Stainer, "place" | "name" | "tables" | "by"> & {
    recipe: Record<string, string>;
    tables: Record<string, { most: number; full: number }>;
  };
  const tables = Array.from({ length: layers }, (_, slide): Table | undefined => {
    const [row, scale] = [arrays.get(String(slide)) as Int16Array | undefined, whose.tables[slide]];
    if (row === undefined || scale === undefined) return undefined;
    const count = Math.max(classes, 2);
    const steps = new Int16Array(count * row.length);
    for (let k = 0; k < count; k++) if (whose.class < 0 || k === whose.class) steps.set(row, k * row.length);
    return { steps, classes: count, cells: row.length, ...scale };
  });
  const { target, causal, count } = whose;
  const by = (whose.recipe.by ?? "attribution").replaceAll("_", " ");
  return { place, name, target, class: whose.class, causal, count, by, tables };
}

/** What a saved structure says; where it can't be had, it is said why, and the recorded dye stands in. */
export async function stainerOf(look: Microscope, place: number | null): Promise<Stainer | null> {
  const { index, files } = look;
  if (place === null || index === null) return null;
  const made = (whole: ArrayBuffer): Stainer =>
    stainer(whole, place, saved(look)[place] ?? "", index.layers.length, index.classes.length);
  try {
    return await files.part(`structures/dye.${place}.bin`, made);
  } catch (error) {
    if (look.structure === place) look.structure = null;
    look.tell(said(error));
    return null;
  }
}

/** What was recorded of an epoch, and beside it what the structure says, which is the same at every epoch. */
export function dyed(cells: Cells, by: Stainer): Cells {
  const tables = cells.tables.map((one, slide) => {
    const structure = by.tables[slide];
    return structure === undefined ? one : { ...one, structure };
  });
  return { ...cells, tables };
}

/** Of which classes the dye says something; null: of all. */
export function spoken(look: Microscope): number[] | null {
  if (look.dyeHere !== "structure" || look.stainer === null) return null;
  return look.stainer.class < 0 ? [] : [look.stainer.class];
}

/** What a saved structure says of units, in a sentence. */
export function called({ name, target }: Stainer): string {
  return `adds to ${target}, as the saved ${name} has it`;
}
