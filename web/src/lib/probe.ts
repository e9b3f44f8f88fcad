/** The examples that were shown at every recorded epoch: what each is, what was said of it, how it looks. */

import type { Microscope } from "./microscope.svelte";
import type { Told } from "./types";
import { unpack } from "./unpack";

export interface AnswersTold extends Told {
  count: number;
  epochs: number[];
  /** The epochs that a report holds. */
  kept: number[];
  labelled: boolean;
}

export interface Answers {
  epoch: number;
  said: Int16Array;
  /** The probability of what was said, and of what the example is, in 255ths; null where outputs were not kept. */
  sure: Uint8Array | null;
  own: Uint8Array | null;
}

export interface ThumbsTold extends Told {
  count: number;
  block: number;
}

/** A few examples' pictures, or rows of values. */
export interface Thumbs {
  first: number;
  row: boolean;
  height: number;
  width: number;
  colours: number;
  pixels: Uint8Array;
}

/** What the index says of one kind of files, if there is anything to show. */
export function told<T extends Told>(look: Microscope, kind: string): T | null {
  const found = look.index?.parts[kind];
  return found === undefined || found.absent !== undefined ? null : (found as T);
}

/** Why there is nothing to show. */
export function absent(look: Microscope, kind: string): string {
  return look.index?.parts[kind]?.absent ?? "This run's page was written without it: write it anew.";
}

export function labels(look: Microscope): Promise<Int16Array | null> {
  return look.files.part("answers/labels.bin", (whole) => {
    const found = unpack(whole).arrays.get("labels");
    return found instanceof Int16Array ? found : null;
  });
}

export function answers(look: Microscope, epoch: number): Promise<Answers> {
  return look.files.part(`answers/${epoch}.bin`, (whole) => {
    const { arrays } = unpack(whole);
    const [sure, own] = [arrays.get("sure"), arrays.get("own")];
    return {
      epoch,
      said: arrays.get("said") as Int16Array,
      sure: sure instanceof Uint8Array ? sure : null,
      own: own instanceof Uint8Array ? own : null,
    };
  });
}

export function thumbs(look: Microscope, block: number): Promise<Thumbs> {
  return look.files.part(`thumbs/${block}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const [height = 0, width = 0, colours = 1] = head.shape as number[];
    const pixels = arrays.get("pixels") as Uint8Array;
    return { first: head.first as number, row: head.row === true, height, width, colours, pixels };
  });
}

/** One example's picture. */
export function picture(found: Thumbs, sample: number): ImageData {
  const { height, width, colours, pixels } = found;
  const made = new ImageData(width, height);
  const from = (sample - found.first) * height * width * colours;
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) made.data[4 * i + c] = pixels[from + i * colours + (colours === 3 ? c : 0)] ?? 0;
    made.data[4 * i + 3] = 255;
  }
  return made;
}

/** One example's values, 0 to 1. */
export function row(found: Thumbs, sample: number): number[] {
  const from = (sample - found.first) * found.width;
  return [...found.pixels.subarray(from, from + found.width)].map((value) => value / 255);
}

/** Whose answer is not what they are; those without a class are never wrong. */
export function mistaken(known: Int16Array, said: Int16Array): number[] {
  const found: number[] = [];
  for (let i = 0; i < known.length; i++) if ((known[i] as number) >= 0 && known[i] !== said[i]) found.push(i);
  return found;
}

/** Those of one class that were taken for this one. */
export function among(known: Int16Array, said: Int16Array, is: number, as: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < known.length; i++) if (known[i] === is && said[i] === as) found.push(i);
  return found;
}

/** How many of these (null: of all) are of each class; at the end those of none. */
export function mix(known: Int16Array, some: readonly number[] | null, classes: number): number[] {
  const found = new Array<number>(classes + 1).fill(0);
  const count = some?.length ?? known.length;
  for (let k = 0; k < count; k++) {
    const number = known[some === null ? k : (some[k] as number)] ?? -1;
    const place = number < 0 || number >= classes ? classes : number;
    found[place] = (found[place] as number) + 1;
  }
  return found;
}

export type Only = "all" | "mistakes" | "gathered";

/** The examples of a list, the worst first: mistakes of which the network was surest, then right answers of which it was least sure. */
export function ordered(
  known: Int16Array | null,
  heard: Answers | null,
  only: Only,
  gathered: readonly number[],
): number[] {
  const count = heard?.said.length ?? known?.length ?? 0;
  let some = only === "gathered" ? gathered.filter((i) => i < count) : [...Array(count).keys()];
  if (only === "mistakes") some = known !== null && heard !== null ? mistaken(known, heard.said) : [];
  if (known === null || heard === null) return some;
  const bad = (i: number): number => {
    const wrong = (known[i] as number) >= 0 && known[i] !== heard.said[i];
    return wrong ? 256 + (heard.sure?.[i] ?? 0) : 255 - (heard.own?.[i] ?? heard.sure?.[i] ?? 255);
  };
  const depth = Float32Array.from(some, bad);
  return [...some.keys()]
    .sort((a, b) => (depth[b] as number) - (depth[a] as number) || a - b)
    .map((k) => some[k] as number);
}
