/** Two lamps: in the brightfield dyes absorb light on paper, in fluorescence they shine on black. As nissl/core/palette.py. */

import type { Lamp } from "./address";

export type Light = [number, number, number];

export const STAIN10 = [
  "#0084a8",
  "#d8780c",
  "#6c309c",
  "#60b49c",
  "#cc3060",
  "#1800fc",
  "#d8c000",
  "#902400",
  "#c06cfc",
  "#b4b4fc",
];
/** The same hues for black: none is dim there, and they keep the distances of stain10 under the same four kinds of vision (a test). */
export const LIFTED = [
  "#2a94a4",
  "#f3920c",
  "#8140a6",
  "#66f7c3",
  "#f82a66",
  "#4b34fe",
  "#ffe332",
  "#b62103",
  "#c278ff",
  "#babdfe",
];
export const PAPER: Record<Lamp, Light> = { bright: rgb("#fbfaf7"), dark: rgb("#0d1014") };
/** What belongs to a class that has no dye. */
export const UNDYED: Record<Lamp, string> = { bright: "#a3a29d", dark: "#59626c" };
/** The counterstain as it shines: a little blue. */
const COLD: Light = [0.9, 0.95, 1.0];
const COUNTERSTAIN = rgb("#6f6f78");

export function rgb(colour: string): Light {
  const at = (i: number): number => parseInt(colour.slice(i, i + 2), 16) / 255;
  return [at(1), at(3), at(5)];
}

export function hex(light: Light): string {
  return `#${light
    .map((v) =>
      Math.round(Math.min(1, Math.max(0, v)) * 255)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

/** The dyes of the chosen classes: a class keeps its own wherever there are dyes for all. */
export function dyes(chosen: number[], classes: number, lamp: Lamp): string[] {
  const from = lamp === "bright" ? STAIN10 : LIFTED;
  return chosen.map((number, place) => from[(classes <= from.length ? number : place) % from.length] as string);
}

/** Mixes counterstain and dyes at some depths into what an eye sees of a cell. */
export function mixer(inks: string[], lamp: Lamp): (grey: number, depth: ArrayLike<number>, at: number) => Light {
  const lights = inks.map(rgb);
  const paper = PAPER[lamp];
  if (lamp === "bright") {
    const clear = lights.map((light) => light.map((v) => -Math.log(Math.max(v, 0.02))) as Light);
    const counter = COUNTERSTAIN.map((v) => -Math.log(v)) as Light;
    return (grey, depth, at) => through(paper, (i) => sum(clear, depth, at, i) + grey * (counter[i] as number));
  }
  return (grey, depth, at) => lit(paper, (i) => 2.1 * sum(lights, depth, at, i) + 0.42 * grey * (COLD[i] as number));
}

/** How much a dye at depth 1 takes of the light, or of the dark; null: the counterstain. What several leave is the product. */
export function fading(ink: string | null, lamp: Lamp): Light {
  if (lamp === "bright")
    return (ink === null ? COUNTERSTAIN : rgb(ink)).map((v) => -Math.log(Math.max(v, 0.02))) as Light;
  return (ink === null ? COLD.map((v) => 0.42 * v) : rgb(ink).map((v) => 2.1 * v)) as Light;
}

function sum(lights: Light[], depth: ArrayLike<number>, at: number, channel: number): number {
  let found = 0;
  for (let k = 0; k < lights.length; k++) found += (depth[at + k] ?? 0) * (lights[k]?.[channel] ?? 0);
  return found;
}

function through(paper: Light, depth: (channel: number) => number): Light {
  return [0, 1, 2].map((i) => (paper[i] as number) * Math.exp(-depth(i))) as Light;
}

function lit(dark: Light, shine: (channel: number) => number): Light {
  return [0, 1, 2].map((i) => 1 - (1 - (dark[i] as number)) * Math.exp(-shine(i))) as Light;
}

/** Magnitude without a class, and change around nothing, which is paper. */
export type RampName = "ink" | "change";
const RAMPS: Record<RampName, Record<Lamp, string[]>> = {
  ink: {
    bright: ["#fbfaf7", "#c9c8c6", "#85878b", "#1d2228"],
    dark: ["#0d1014", "#39414a", "#7d8791", "#eceff2"],
  },
  change: {
    bright: ["#00707e", "#7fb3b8", "#fbfaf7", "#dfa58f", "#b8431a"],
    dark: ["#35cfe0", "#1c626c", "#0d1014", "#7d3d25", "#ff8a5c"],
  },
};

/** The colour at a share, 0 to 1, of a ramp. */
export function ramp(name: RampName, lamp: Lamp): (share: number) => Light {
  const stops = RAMPS[name][lamp].map(rgb);
  const last = stops.length - 1;
  return (share) => {
    const along = Math.min(1, Math.max(0, share || 0)) * last;
    const low = Math.min(last - 1, Math.floor(along));
    const [from, to] = [stops[low] as Light, stops[low + 1] as Light];
    return [0, 1, 2].map(
      (i) => (from[i] as number) + (along - low) * ((to[i] as number) - (from[i] as number)),
    ) as Light;
  };
}

/** What came and what went: the ends of change. */
export function ends(lamp: Lamp): { less: string; more: string } {
  const stops = RAMPS.change[lamp];
  return { less: stops[0] as string, more: stops.at(-1) as string };
}

/** Its ends and what is between, for a legend. */
export function strip(name: RampName, lamp: Lamp): string {
  return `linear-gradient(90deg, ${RAMPS[name][lamp].join(", ")})`;
}
