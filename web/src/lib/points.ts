/** Examples as points over the epochs: what the page reads of them, and which colours they have. */

import type { Lamp } from "./address";
import { dyes, mixer, PAPER, rgb, UNDYED, type Light } from "./colour";
import { NONE } from "./field";
import type { Microscope } from "./microscope.svelte";
import type { Answers } from "./probe";
import type { Told } from "./types";
import { unpack } from "./unpack";

export type By = "tsne" | "pca";
export type Colouring = "class" | "error" | "neuron";

export interface PointsTold extends Told {
  layers: { name: string; units: number; epochs: number[] }[];
  count: number;
  /** The layer for a start, and the ways to place points, the one for a start first; a report holds just these, of these epochs. */
  first: number;
  by: By[];
  kept: number[];
}

export interface Film {
  epoch: number;
  by: By;
  layer: string;
  places: Uint16Array;
  trust: number | null;
  kept: number | null;
  jump: number | null;
  near: number;
  looked: number;
}

export const WAYS: Record<By, string> = { tsne: "t-SNE", pca: "PCA" };

export function points(look: Microscope, layer: number, by: By, epoch: number): Promise<Film> {
  return look.files.part(`points/${layer}.${by}.${epoch}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    return { ...(head as unknown as Film), places: arrays.get("places") as Uint16Array };
  });
}

export interface Inks {
  inks: Uint8Array;
  rings: Uint8Array | null;
  colours: Light[];
}

export const RIGHT: Record<Lamp, string> = { bright: "#9fb9bb", dark: "#3f6470" };
export const WRONG: Record<Lamp, string> = { bright: "#b8431a", dark: "#ff8a5c" };
const STEPS = 64;

/** A class's own dye where it is stained, else grey; who was taken for another has a ring in that one's. */
export function byClass(look: Microscope, known: Int16Array | null, heard: Answers | null, count: number): Inks {
  const classes = look.index?.classes.length ?? 0;
  const chosen = look.chosen;
  const colours = [rgb(UNDYED[look.lamp]), ...dyes(chosen, classes, look.lamp).map(rgb)];
  const slot = new Uint8Array(classes + 1);
  chosen.forEach((number, place) => (slot[number] = place + 1));
  const from = known ?? heard?.said ?? null;
  const inks = new Uint8Array(count);
  if (from !== null) for (let i = 0; i < count; i++) inks[i] = slot[from[i] as number] ?? 0;
  if (known === null || heard === null) return { inks, rings: null, colours };
  const rings = new Uint8Array(count).fill(NONE);
  for (let i = 0; i < count; i++) {
    const said = heard.said[i] as number;
    if ((known[i] as number) >= 0 && known[i] !== said) rings[i] = slot[said] ?? 0;
  }
  return { inks, rings, colours };
}

/** Right or wrong. */
export function byError(lamp: Lamp, known: Int16Array | null, heard: Answers | null, count: number): Inks {
  const inks = new Uint8Array(count);
  const colours = [rgb(UNDYED[lamp]), rgb(RIGHT[lamp]), rgb(WRONG[lamp])];
  if (known !== null && heard !== null)
    for (let i = 0; i < count; i++) inks[i] = (known[i] as number) < 0 ? 0 : known[i] === heard.said[i] ? 1 : 2;
  return { inks, rings: null, colours };
}

/** The deeper, the more it answers; `values` are 255ths of the most that any example gets at this epoch. */
export function byNeuron(lamp: Lamp, ink: string, values: Uint8Array): Inks {
  const mix = mixer([ink], lamp);
  const [paper, grey] = [PAPER[lamp], rgb(UNDYED[lamp])];
  const colours = Array.from({ length: STEPS }, (_, k) => {
    const light = mix(0.18, [k / (STEPS - 1)], 0);
    return light.map((v, i) => (k === 0 ? 0.75 * v + 0.25 * (grey[i] ?? paper[i] ?? 0) : v)) as Light;
  });
  return { inks: values.map((value) => (value * (STEPS - 1)) / 255), rings: null, colours };
}
