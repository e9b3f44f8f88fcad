/** One example: what its answers owe to each of its values, what was answered over the epochs, and which units answer it unlike its class. */

import type { Lamp } from "./address";
import { PAPER, rgb, type Light } from "./colour";
import type { Microscope } from "./microscope.svelte";
import { MOST, type Told } from "./types";
import { unpack } from "./unpack";

export interface AttributionsTold extends Told {
  methods: string[];
  /** Of so many mistakes a report holds them. */
  worst: number;
}

export interface ExamplesTold extends Told {
  chances: boolean;
  epochs: number[];
  worst: number;
}

export interface Stage {
  name: string;
  epoch: number | null;
  said: number;
  p: number | null;
}

export interface Explained {
  stages: Stage[];
  panels: string[];
  rows: number;
  columns: number;
  source: ImageData | null;
  /** By stage and panel. */
  maps: Float32Array[][];
}

export const NAMES: Record<string, string> = { panels: "five panels" };

export function explained(look: Microscope, sample: number, method: string): Promise<Explained> {
  return look.files.part(`attributions/${sample}.${method}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const stages = head.stages as Stage[];
    const panels = head.panels as string[];
    const [rows = 1, columns = 1] = head.shape as number[];
    const shape =
      (head.arrays as { name: string; shape: number[] }[]).find((one) => one.name === "source")?.shape ?? [];
    const maps = stages.map((_, k) => panels.map((name) => arrays.get(`${k}.${name}`) as Float32Array));
    return { stages, panels, rows, columns, source: coloured(arrays.get("source") as Uint8Array, shape), maps };
  });
}

export function coloured(pixels: Uint8Array, [rows = 0, columns = 0, colours = 1]: number[]): ImageData | null {
  if (rows === 0) return null;
  const made = new ImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    for (let c = 0; c < 3; c++) made.data[4 * i + c] = pixels[i * colours + (colours === 3 ? c : 0)] ?? 0;
    made.data[4 * i + 3] = 255;
  }
  return made;
}

export const AGAINST: Record<Lamp, string> = { bright: "#00707e", dark: "#5bc0de" };
export const FOR: Record<Lamp, string> = { bright: "#b8431a", dark: "#ff8a5c" };

/** What speaks for the answer and against it, each by the map's own largest; what is beyond its 99.5th percentile has the last colour. */
export function signed(map: Float32Array, rows: number, columns: number, lamp: Lamp): ImageData {
  const sizes = Float32Array.from(map, Math.abs).sort();
  const top = sizes[Math.min(sizes.length - 1, Math.ceil(0.995 * (sizes.length - 1)))] ?? 0;
  const full = top > 0 ? top : (sizes.at(-1) ?? 0);
  const [paper, less, more] = [PAPER[lamp], rgb(AGAINST[lamp]), rgb(FOR[lamp])];
  const made = new ImageData(columns, rows);
  map.forEach((value, i) => {
    const share = full > 0 ? Math.min(1, Math.abs(value) / full) : 0;
    const light: Light = value < 0 ? less : more;
    for (let c = 0; c < 3; c++) made.data[4 * i + c] = 255 * ((1 - share) * (paper[c] ?? 0) + share * (light[c] ?? 0));
    made.data[4 * i + 3] = 255;
  });
  return made;
}

export interface Over {
  epochs: number[];
  said: Int16Array;
  /** (epoch, class) in 255ths; null where the outputs were not kept. */
  chances: Uint8Array | null;
}

export function over(look: Microscope, sample: number): Promise<Over> {
  return look.files.part(`examples/${sample}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const chances = arrays.get("chances");
    return {
      epochs: head.epochs as number[],
      said: arrays.get("said") as Int16Array,
      chances: chances instanceof Uint8Array ? chances : null,
    };
  });
}

/** A unit that answers this example unlike others of its class, in their deviations. */
export interface Odd {
  slide: number;
  cell: number;
  own: number;
  usual: number;
  deviations: number;
}

export interface Beside {
  epoch: number;
  class: number;
  alike: number;
  odd: Odd[];
}

export function beside(look: Microscope, sample: number, epoch: number): Promise<Beside> {
  return look.files.part(`examples/${sample}.${epoch}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const most = head.most as Record<string, number>;
    const odd = [...arrays].flatMap(([place, steps]) => unlike(Number(place), steps as Int16Array, most[place] ?? 1));
    odd.sort((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations));
    return { epoch, class: head.class as number, alike: head.alike as number, odd };
  });
}

function unlike(slide: number, steps: Int16Array, most: number): Odd[] {
  const cells = steps.length / 3;
  const value = (row: number, cell: number): number => ((steps[row * cells + cell] ?? 0) / MOST) * most;
  let wide = 0;
  for (let cell = 0; cell < cells; cell++) wide += value(2, cell);
  const least = Math.max(1e-9, (0.2 * wide) / Math.max(cells, 1)); // a unit that never varies is not odd by a hair
  return Array.from({ length: cells }, (_, cell) => {
    const [own, usual] = [value(0, cell), value(1, cell)];
    return { slide, cell, own, usual, deviations: (own - usual) / Math.max(value(2, cell), least) };
  });
}
