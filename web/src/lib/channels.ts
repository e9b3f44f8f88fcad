/** What each channel of a layer makes of one example. */

import type { Microscope } from "./microscope.svelte";
import { MOST, type Told } from "./types";
import { unpack } from "./unpack";

export interface ChannelsTold extends Told {
  /** By slide: has it channels that look at places; and the epochs at which their maps were kept. */
  layers: boolean[];
  recorded: number[][];
  most: number;
}

export interface Maps {
  every: number;
  rows: number;
  columns: number;
  maps: Float32Array[];
}

export function channels(look: Microscope, slide: number, sample: number, what: string): Promise<Maps> {
  return look.files.part(`channels/${slide}.${sample}.${what}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const [rows = 1, columns = 1] = head.shape as number[];
    const steps = arrays.get("maps") as Int16Array;
    const step = (head.most as number) / MOST;
    const maps = Array.from({ length: steps.length / (rows * columns) }, (_, k) =>
      Float32Array.from(steps.subarray(k * rows * columns, (k + 1) * rows * columns), (value) => value * step),
    );
    return { every: head.every as number, rows, columns, maps };
  });
}

/** The channels in order of the most that they say anywhere. */
export function loudest(found: Maps): number[] {
  const peak = found.maps.map((map) => map.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  return [...peak.keys()].sort((a, b) => (peak[b] ?? 0) - (peak[a] ?? 0));
}
