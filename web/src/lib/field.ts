/** Points on a screen: where they lie, which colours they have, which are near a pointer or within a line drawn around them. */

import type { Lamp } from "./address";
import type { Light } from "./colour";

export const FULL = 65535;
export const NONE = 255;

/** From whole steps of the square that holds all points to the screen: place / FULL * scale + x, and down from y. */
export interface Lens {
  scale: number;
  x: number;
  y: number;
}

export interface Trails {
  /** Where the points were. */
  from: Uint16Array;
  /** Of which points; null: of all. */
  which: readonly number[] | null;
}

/** All that a painter of points needs. */
export interface Field {
  width: number;
  height: number;
  lamp: Lamp;
  lens: Lens;
  /** (point, x and y). */
  places: Uint16Array;
  /** By point, which of the colours; in `rings` that of what it was taken for, or NONE. */
  inks: Uint8Array;
  rings: Uint8Array | null;
  /** By point 1 where it is gathered: the others are pale. Null: none is, and all are plain. */
  gathered: Uint8Array | null;
  colours: Light[];
  /** Across a point, in CSS pixels. */
  size: number;
  trails: Trails | null;
}

/** What a point of these is wide of a ring: paper, then the ring. */
export const GAP = 2;
export const RING = 5;
/** How much of their colour pale points keep. */
export const PALE = 0.22;

/** The whole square within a screen. */
export function whole(width: number, height: number): Lens {
  const scale = Math.max(40, Math.min(width, height) - 44);
  return { scale, x: (width - scale) / 2, y: (height - scale) / 2 };
}

/** Nearer or farther by a factor, about a place of the screen that stays. */
export function zoomed(lens: Lens, by: number, x: number, y: number, least: number): Lens {
  const scale = Math.min(least * 64, Math.max(least, lens.scale * by));
  const factor = scale / lens.scale;
  return { scale, x: x - (x - lens.x) * factor, y: y - (y - lens.y) * factor };
}

/** As large as leaves them apart, within reason: many are small. */
export function size(count: number, width: number, height: number, zoom: number): number {
  const fair = Math.sqrt((0.12 * width * height) / Math.max(count, 1));
  return Math.min(12, Math.max(2, Math.min(9, fair) * Math.sqrt(Math.min(zoom, 6))));
}

/** Which way all points are gone through so that whoever comes later does not always lie above: a step without common divisor. */
export function stride(count: number): number {
  if (count < 3) return 1;
  let step = Math.max(1, Math.round(count * 0.6180339887));
  while (divisor(step, count) !== 1) step += 1;
  return step;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** The nearest point within reach of a place of the screen; null: none. */
export function nearest(places: Uint16Array, lens: Lens, x: number, y: number, reach: number): number | null {
  const toStep = FULL / lens.scale;
  const [atX, atY] = [(x - lens.x) * toStep, FULL - (y - lens.y) * toStep];
  let best = (reach * toStep) ** 2;
  let found: number | null = null;
  for (let i = 0, p = 0; p < places.length; i++, p += 2) {
    const dx = (places[p] as number) - atX;
    const dy = (places[p + 1] as number) - atY;
    const far = dx * dx + dy * dy;
    if (far <= best) [best, found] = [far, i];
  }
  return found;
}

export type Corner = readonly [number, number];

/** The points within a closed line on the screen: it is filled once as a picture, and each point looked up in it. */
export function within(
  places: Uint16Array,
  lens: Lens,
  line: readonly Corner[],
  width: number,
  height: number,
): number[] {
  if (line.length < 3) return [];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(1, Math.ceil(width)), Math.max(1, Math.ceil(height))];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return [];
  context.beginPath();
  line.forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
  context.fill();
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const [wide, high] = [canvas.width, canvas.height];
  const found: number[] = [];
  const factor = lens.scale / FULL;
  const base = lens.y + lens.scale;
  for (let i = 0, p = 0; p < places.length; i++, p += 2) {
    const x = Math.floor(lens.x + (places[p] as number) * factor);
    const y = Math.floor(base - (places[p + 1] as number) * factor);
    if (x >= 0 && y >= 0 && x < wide && y < high && (data[4 * (y * wide + x) + 3] as number) > 127) found.push(i);
  }
  return found;
}

/** By point 1 where it is one of these; null where none is. */
export function marked(some: readonly number[], count: number): Uint8Array | null {
  if (some.length === 0) return null;
  const found = new Uint8Array(count);
  for (const sample of some) if (sample < count) found[sample] = 1;
  return found;
}
