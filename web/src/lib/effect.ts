/** What a change to units costs: how many examples of each class are recognised before and after it. */

import type { Brush } from "./brushing.svelte";
import { count, plural } from "./words";

export type Verb = "delete" | "keep" | "scale";

export interface Edit {
  layer: string;
  units: number[];
  verb: Verb;
  value?: number;
}

/** As the network's side tells it. */
export interface Effect {
  classes: string[];
  counts: number[];
  before: number[];
  after: number[];
  /** How much of each class's log-odds is gone. */
  lost: (number | null)[];
  /** The commonest changes of mind: what was said, what is said now, how often. */
  turned: [number, number, number][];
  units: number;
  examples: number;
  available: number;
  held_out: boolean;
  epoch: number | null;
}

export function edits(brushes: Brush[], verb: Verb, value: number): { edits: Edit[] } {
  return {
    edits: brushes.map(({ layer, units }) => ({ layer, units, verb, ...(verb === "scale" ? { value } : {}) })),
  };
}

export interface Row {
  number: number;
  counts: number;
  before: number;
  after: number;
}

/** Classes that have examples; of more than `most` those that change most, in their own order. */
export function rows(effect: Effect, most: number): Row[] {
  const every = effect.classes
    .map((_, number) => ({
      number,
      counts: effect.counts[number] ?? 0,
      before: effect.before[number] ?? 0,
      after: effect.after[number] ?? 0,
    }))
    .filter((row) => row.counts > 0);
  const size = (row: Row): number => Math.abs(row.after - row.before) / row.counts;
  if (every.length <= most) return every;
  return [...every]
    .sort((a, b) => size(b) - size(a))
    .slice(0, most)
    .sort((a, b) => a.number - b.number);
}

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/** "349 of 359 held-out examples recognised before, 340 then". */
export function total(effect: Effect): string {
  const kind = effect.held_out ? "held-out examples" : "examples, the same that units' means are of,";
  return `${count(sum(effect.before))} of ${count(effect.examples)} ${kind} recognised before, ${count(sum(effect.after))} then`;
}

/** On which network and examples it was measured, where that isn't plain. */
export function measured(effect: Effect, epoch: number): string {
  const said: string[] = [];
  if (effect.epoch === null) said.push("Measured in the network that is at hand; at which epoch it was so isn't known");
  else if (effect.epoch !== epoch) said.push(`Measured in the network that was kept, that of epoch ${effect.epoch}`);
  else said.push("Measured in this epoch's network");
  if (effect.examples < effect.available) {
    said.push(`on ${count(effect.examples)} of ${count(effect.available)} examples, drawn once`);
  }
  return `${said.join(", ")}.`;
}

/** "12 units of hidden_2", "34 units of 3 layers". */
export function brushed(brushes: Brush[]): string {
  const units = sum(brushes.map((one) => one.units.length));
  const where = brushes.length === 1 ? (brushes[0]?.layer ?? "") : plural(brushes.length, "layer");
  return `${plural(units, "unit")} of ${where}`;
}
