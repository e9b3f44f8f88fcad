/** Which of the probe's examples drive a unit most, and what every one of them does to it. */

import type { Cell, Microscope } from "./microscope.svelte";
import { MOST, type Told } from "./types";
import { unpack } from "./unpack";

export interface DrivingTold extends Told {
  top: number;
  /** By slide, the epochs at which its samples were recorded, and those that a report holds. */
  layers: number[][];
  kept: number[][];
}

export interface Drive {
  sample: number;
  value: number;
}

/** What each example does to one cell, in 255ths of `most`. */
export interface Responses {
  epoch: number;
  most: number;
  least: number;
  values: Uint8Array;
}

export function heardOf(look: Microscope, { slide, cell }: Cell, epoch: number): Promise<Responses> {
  return look.files.part(`driving/${slide}.${cell}.${epoch}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    return { ...(head as unknown as Responses), values: arrays.get("values") as Uint8Array };
  });
}

/** The strongest first. */
export async function driving(look: Microscope, { slide, cell }: Cell, epoch: number): Promise<Drive[]> {
  const found = await look.files.part(`driving/${slide}.${epoch}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    return {
      top: head.top as number,
      most: head.most as number,
      examples: arrays.get("examples") as Uint32Array,
      values: arrays.get("values") as Int16Array,
    };
  });
  return Array.from({ length: found.top }, (_, i) => {
    const at = cell * found.top + i;
    return { sample: found.examples[at] ?? 0, value: ((found.values[at] ?? 0) / MOST) * found.most };
  });
}
