/** How a run went: its scalars as charts, its layers as rows, what recording cost, and what was found to have changed. */

import { unpack } from "./unpack";

export interface Course {
  label: string;
  values: (number | null)[];
  dashed: boolean;
  /** Of another run. */
  other?: boolean;
}

export interface Chart {
  name: string;
  /** Between 0 and 1, whatever it reaches. */
  share: boolean;
  courses: Course[];
}

const FIRST = ["loss", "accuracy"];

/** A chart for each scalar; of what was heard both on the held-out probe and in training, both in one. */
export function charts(scalars: Record<string, (number | null)[]>): Chart[] {
  const found = new Map<string, Course[]>();
  for (const [name, values] of Object.entries(scalars)) {
    if (!values.some((value) => value !== null)) continue;
    const held = name.startsWith("probe_");
    const plain = name.replace(/^probe_/, "");
    const twin = held ? plain in scalars : `probe_${plain}` in scalars;
    const course = { label: held ? "held out" : twin ? "training" : "", values, dashed: !held && twin };
    found.set(plain, [...(found.get(plain) ?? []), course]);
  }
  const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...found]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, courses]) => ({ name, share: /accuracy|jaccard|recall|precision/.test(name), courses }));
}

/** Another run, as far as the index knows it. */
export interface Other {
  name: string;
  epochs: number[];
  classes: string[];
  /** Does it tell the same classes apart? */
  same: boolean;
  scalars: Record<string, (number | null)[]>;
}

/** The same with the other run's numbers in each chart, at the epochs that both recorded; held out where both were so heard. */
export function joined(found: Chart[], other: Other, epochs: number[]): Chart[] {
  const place = new Map(other.epochs.map((epoch, i) => [epoch, i]));
  return found.map((chart) => {
    const name = chart.courses[0]?.label === "training" ? chart.name : `probe_${chart.name}`;
    const values = other.scalars[name] ?? other.scalars[chart.name];
    if (values === undefined) return chart;
    const at = epochs.map((epoch) => values[place.get(epoch) ?? -1] ?? null);
    return { ...chart, courses: [...chart.courses, { label: other.name, values: at, dashed: false, other: true }] };
  });
}

/** The epoch of the other run that stands beside one of this: the same, or the last before it. */
export function beside(other: Other, epoch: number): number | null {
  return [...other.epochs].reverse().find((one) => one <= epoch) ?? other.epochs[0] ?? null;
}

export interface Twin {
  layer: string;
  neuron: number;
  other_layer: string;
  other_neuron: number;
  correlation: number | null;
  alike: boolean;
  distance: number | null;
  apart: number | null;
}

export interface Twins {
  sentences: string[];
  units: Twin[];
  every: number;
}

export function twins(whole: ArrayBuffer): Twins {
  return unpack(whole).head as unknown as Twins;
}

/** The last that was recorded. */
export function latest(values: (number | null)[]): number | null {
  return [...values].reverse().find((value) => value !== null) ?? null;
}

/** The least and the most of a chart; of a share 0 and 1. */
export function range(chart: Chart): [number, number] {
  if (chart.share) return [0, 1];
  const known = chart.courses.flatMap((one) => one.values).filter((value): value is number => value !== null);
  const [low, high] = known.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

/** (row, epoch) in one array, not-a-number where nothing was recorded. */
export interface Table {
  rows: number;
  columns: number;
  values: Float32Array | Uint32Array;
}

export interface Vitals {
  layers: string[];
  units: number[];
  /** What was not recorded, by the quantity that would have. */
  lacking: Record<string, string>;
  /** Layers whose responses have two ends. */
  bounded: number;
  tables: Map<string, Table>;
}

export function vitals(whole: ArrayBuffer): Vitals {
  const { head, arrays } = unpack(whole);
  const said = head as unknown as Omit<Vitals, "tables">;
  const rows = said.layers.length;
  const tables = new Map<string, Table>();
  for (const [name, values] of arrays) {
    tables.set(name, { rows, columns: rows > 0 ? values.length / rows : 0, values: values as Float32Array });
  }
  return { ...said, tables };
}

export interface Costs {
  bytes: number | null;
  epochs: number | null;
  /** Seconds: of all, of a step, at the end of an epoch; and the share of the time that the loop took. */
  spent: number | null;
  reading: number | null;
  writing: number | null;
  step: number | null;
  epoch: number | null;
  share: number | null;
}

export interface Unit {
  layer: string;
  neuron: number;
  moved: number | null;
  settled: number | null;
  jumps: number;
  when: number | null;
  size: number | null;
  q: number | null;
  class_first: string | null;
  class_last: string | null;
  events: string | null;
}

export interface Event {
  epoch: number;
  event: string;
  layer: string;
  neuron: number;
  before: string | null;
  after: string | null;
}

export interface Found {
  level: number;
  lasting: number;
  sentences: string[];
  layers: { name: string; of: string; untested: string }[];
  /** The first of `every`, by how they jumped, then by how far they moved. */
  units: Unit[];
  every: number;
  events: Event[];
  turned: number;
  wholes: { of: string; layer: string; epoch: number; size: number | null }[];
  drift: Table;
  jumped: Table;
  /** A row for each of TURNS. */
  turns: Table;
}

export const TURNS = ["birth", "death", "saturation", "recovery", "preference"];

export function found(whole: ArrayBuffer): Found {
  const { head, arrays } = unpack(whole);
  const said = head as unknown as Omit<Found, "drift" | "jumped" | "turns">;
  const table = (name: string, rows: number): Table => {
    const values = arrays.get(name) as Float32Array | Uint32Array;
    return { rows, columns: rows > 0 ? values.length / rows : 0, values };
  };
  const rows = said.layers.length;
  return { ...said, drift: table("drift", rows), jumped: table("jumped", rows), turns: table("turned", TURNS.length) };
}

/** What the palest and the deepest colour stand for; on a logarithmic scale where values span more than a hundredfold. */
export interface Scale {
  low: number;
  high: number;
  log: boolean;
}

export function scaled(table: Table, most?: number): Scale {
  const known = [...table.values].filter((value) => Number.isFinite(value) && value > 0).sort((a, b) => a - b);
  const high = most ?? known.at(-1) ?? 1;
  const low = known[Math.floor(0.02 * known.length)] ?? high / 10;
  const log = most === undefined && high > 20 * low;
  return { low: log ? Math.max(low, high / 1e6) : 0, high: high > 0 ? high : 1, log };
}

/** 0 to 1. */
export function share(value: number, { low, high, log }: Scale): number {
  if (!log) return Math.min(1, Math.max(0, value / high));
  return value <= 0 ? 0 : Math.min(1, Math.max(0, Math.log(value / low) / Math.log(high / low)));
}
