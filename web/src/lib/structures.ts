/** The units behind classes: as they were recorded, saved or found; as sets; how they come about over the epochs. */

import type { Brush } from "./brushing.svelte";
import type { Told } from "./types";
import { unpack } from "./unpack";

export interface Unit {
  layer: string;
  unit: number;
  score: number;
  /** The middle 95 % of bootstrapped scores; not-a-number where there are none. */
  low: number;
  high: number;
}

export interface Structure {
  target: string;
  /** How many members there are, and how many are listed. */
  count: number;
  units: Unit[];
  /** What they add together. */
  score: number | null;
  causal: boolean;
}

export interface Edge {
  from: { layer: string; unit: number };
  to: { layer: string; unit: number };
  signed: number;
}

export interface Family {
  /** How many candidates there are. */
  total: number;
  recipe: Record<string, string>;
  structures: Structure[];
}

/** One that was found when it was asked for. */
export interface Found extends Family {
  epoch: number | null;
  edges: Edge[];
  everyEdge: number;
  edgeless: string;
}

/** What the index says of the files of structures. */
export interface Known extends Told {
  by: string[];
  saved: string[];
}

interface Head {
  layers: string[];
  total: number;
  recipe: Record<string, string>;
  structures: { target: string; count: number; listed: number; score: number | null; causal: boolean }[];
}

type Column = ArrayLike<number | null>;
type Columns = Record<"layer" | "unit" | "score" | "low" | "high", Column>;

export interface Answer extends Head, Columns {
  epoch: number | null;
  edges: [number, number, number, number, number | null][];
  every_edge: number;
  edgeless?: string;
}

export function family(whole: ArrayBuffer): Family {
  const { head, arrays } = unpack(whole);
  const columns = Object.fromEntries(arrays) as unknown as Columns;
  return assembled(head as unknown as Head, columns);
}

export function found(answer: Answer): Found {
  const layer = (at: number): string => answer.layers[at] ?? "";
  return {
    ...assembled(answer, answer),
    epoch: answer.epoch,
    edges: answer.edges.map(([from, u, to, v, signed]) => ({
      from: { layer: layer(from), unit: u },
      to: { layer: layer(to), unit: v },
      signed: signed ?? NaN,
    })),
    everyEdge: answer.every_edge,
    edgeless: answer.edgeless ?? "",
  };
}

function assembled(head: Head, columns: Columns): Family {
  let at = 0;
  const structures = head.structures.map(({ listed, ...told }) => {
    const units = Array.from({ length: listed }, (_, i) => ({
      layer: head.layers[columns.layer[at + i] ?? 0] ?? "",
      unit: columns.unit[at + i] ?? 0,
      score: columns.score[at + i] ?? NaN,
      low: columns.low[at + i] ?? NaN,
      high: columns.high[at + i] ?? NaN,
    }));
    at += listed;
    return { ...told, units };
  });
  return { total: head.total, recipe: head.recipe, structures };
}

// sets

const name = (unit: Unit): string => `${unit.unit} ${unit.layer}`;

export function both(one: Unit[], other: Unit[]): Unit[] {
  const theirs = new Set(other.map(name));
  return one.filter((unit) => theirs.has(name(unit)));
}

export function without(one: Unit[], other: Unit[]): Unit[] {
  const theirs = new Set(other.map(name));
  return one.filter((unit) => !theirs.has(name(unit)));
}

/** How much two have in common: 1 if they are the same. */
export function jaccard(one: Unit[], other: Unit[]): number {
  const common = both(one, other).length;
  const every = one.length + other.length - common;
  return every > 0 ? common / every : NaN;
}

/** The same units as they are brushed. */
export function brushes(units: Unit[]): Brush[] {
  const layers = new Map<string, number[]>();
  for (const { layer, unit } of units) layers.set(layer, [...(layers.get(layer) ?? []), unit]);
  return [...layers].map(([layer, mine]) => ({ layer, units: mine.sort((a, b) => a - b) }));
}

/** How many units lie in each of these layers, which are named first. */
export function spread(units: Unit[], layers: string[]): [string, number][] {
  const names = [...new Set([...layers, ...units.map((unit) => unit.layer)])];
  return names
    .map((layer): [string, number] => [layer, units.filter((unit) => unit.layer === layer).length])
    .filter(([, count]) => count > 0);
}

// over the epochs

export interface Coming {
  epoch: number;
  births: number;
  deaths: number;
  settled: boolean;
}

/** What happened to one class's structure, epoch by epoch. */
export function coming(whole: Events, target: number, epochs: number[]): Coming[] {
  const rows = epochs.map((epoch) => ({ epoch, births: 0, deaths: 0, settled: false }));
  const at = new Map(epochs.map((epoch, place) => [epoch, place]));
  for (let i = 0; i < whole.epoch.length; i++) {
    if (whole.class[i] !== target) continue;
    const row = rows[at.get(whole.epoch[i] as number) ?? -1];
    const kind = whole.kinds[whole.kind[i] as number];
    if (row === undefined) continue;
    if (kind === "birth") row.births += 1;
    if (kind === "death") row.deaths += 1;
    if (kind === "freeze") row.settled = true;
  }
  return rows;
}

export interface Events {
  kinds: string[];
  /** For how many recorded epochs something must last to count. */
  lasting: number;
  every: number;
  epoch: ArrayLike<number>;
  kind: ArrayLike<number>;
  class: ArrayLike<number>;
}

export function events(whole: ArrayBuffer): Events {
  const { head, arrays } = unpack(whole);
  const array = (of: string): ArrayLike<number> => arrays.get(of) as ArrayLike<number>;
  return {
    kinds: head.kinds as string[],
    lasting: head.lasting as number,
    every: head.every as number,
    epoch: array("epoch"),
    kind: array("kind"),
    class: array("class"),
  };
}

export interface Owners {
  layer: string;
  epochs: number[];
  cells: number;
  /** (epoch, cell): the class that each adds most to; -1: to none. */
  owner: Int16Array;
}

export function owners(whole: ArrayBuffer): Owners {
  const { head, arrays } = unpack(whole);
  const [owner, epochs] = [arrays.get("owner") as Int16Array, head.epochs as number[]];
  return { layer: head.layer as string, epochs, cells: owner.length / Math.max(epochs.length, 1), owner };
}

/** Cells by whose they are in the end, and since when. */
export function sorted({ owner, cells, epochs }: Owners): number[] {
  const last = (epochs.length - 1) * cells;
  const since = (cell: number): number => {
    let place = epochs.length - 1;
    while (place > 0 && owner[(place - 1) * cells + cell] === owner[last + cell]) place -= 1;
    return place;
  };
  const whose = (cell: number): number => (owner[last + cell] as number) & 0xffff; // what is nobody's comes last
  return [...Array(cells).keys()]
    .map((cell) => [cell, whose(cell), since(cell)] as const)
    .sort((a, b) => a[1] - b[1] || a[2] - b[2] || a[0] - b[0])
    .map(([cell]) => cell);
}
