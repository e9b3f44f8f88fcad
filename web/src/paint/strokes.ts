/** Ribbons as pixels, for both painters. Every ribbon is the same curve, level at both ends, stretched between them: one table serves
 * all, and a column of pixels is a few sums. Without a graphics card that is a tenth of what as many triangles cost. */

import { STRIDE, type Scene } from "../lib/scene";

/** Where dyes mix, red green blue are the depths of the first three; else colours, premultiplied by alpha. */
export interface Field {
  width: number;
  height: number;
  data: Uint8Array<ArrayBuffer>;
  /** The first row on which anything is, and the one after the last. */
  top: number;
  bottom: number;
}

const STEPS = 512;
/** Of the way in x: how much of the way in y is done, how steep it is there, how much of the curve's own way. */
const [DONE, STEEP, ALONG] = curve();
/** Pixels (of CSS) of a dash and the gap after it, and how much of that is the dash. */
const DASH = 8;
const LINE = 0.62;

function curve(): [Float32Array, Float32Array, Float32Array] {
  const [done, steep, along] = [0, 1, 2].map(() => new Float32Array(STEPS + 2)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  let t = 0;
  for (let i = 0; i <= STEPS; i++) {
    for (let round = 0; round < 8; round++) {
      const u = 1 - t;
      const x = 1.65 * u * u * t + 1.35 * u * t * t + t * t * t;
      t -= (x - i / STEPS) / (1.65 * u * u - 0.6 * u * t + 1.65 * t * t);
    }
    const u = 1 - t;
    done[i] = 3 * u * t * t + t * t * t;
    steep[i] = (6 * u * t) / (1.65 * u * u - 0.6 * u * t + 1.65 * t * t);
    along[i] = t;
  }
  done[STEPS + 1] = along[STEPS + 1] = 1;
  return [done, steep, along];
}

/** Into `held`, if it is of the size that is needed. */
export function strokes(scene: Scene, pixels: number, width: number, height: number, held: Field | null): Field {
  const field = held?.width === width && held.height === height ? held : empty(width, height);
  field.data.fill(0, 4 * width * field.top, 4 * width * field.bottom);
  [field.top, field.bottom] = [height, 0];
  for (let at = 0; at < scene.ribbons.length; at += STRIDE) one(field, scene, at, pixels);
  if (field.bottom <= field.top) [field.top, field.bottom] = [0, 0];
  return field;
}

function empty(width: number, height: number): Field {
  return { width, height, data: new Uint8Array(4 * width * height), top: 0, bottom: 0 };
}

function one(field: Field, { ribbons, mixed }: Scene, at: number, pixels: number): void {
  const read = (place: number): number => ribbons[at + place] as number;
  const turned = read(2) < read(0);
  const x = pixels * read(turned ? 2 : 0);
  const y = pixels * read(turned ? 3 : 1);
  const far = Math.max(0.5, pixels * read(turned ? 0 : 2) - x);
  const high = pixels * read(turned ? 1 : 3) - y;
  const wide = pixels * read(4);
  const half = Math.max(wide, 1) / 2 + 0.5;
  const alpha = read(5) * Math.min(1, wide);
  const dash = read(9) > 0 ? (1.1 * Math.hypot(far, high)) / (DASH * pixels) : 0;
  const ink = mixed ? null : ([read(6), read(7), read(8)] as const);
  const [first, last] = [Math.max(0, Math.ceil(x - 0.5)), Math.min(field.width - 1, Math.floor(x + far - 0.5))];
  const [least, most] = [Math.min(y, y + high) - half, Math.max(y, y + high) + half];
  for (let column = first; column <= last; column++) {
    const way = ((column + 0.5 - x) / far) * STEPS;
    const step = way | 0;
    const part = way - step;
    const shown = dash === 0 ? alpha : alpha * dashed(dash * mean(ALONG, step, part));
    if (shown <= 0) continue;
    const middle = y + high * mean(DONE, step, part) - 0.5;
    const slope = (high / far) * (STEEP[step] as number);
    const flat = 1 / Math.sqrt(1 + slope * slope);
    const reach = half / flat;
    const from = Math.max(0, Math.ceil(Math.max(middle - reach, least)));
    const to = Math.min(field.height - 1, Math.floor(Math.min(middle + reach, most)));
    if (to < from) continue;
    if (from < field.top) field.top = from;
    if (to >= field.bottom) field.bottom = to + 1;
    if (ink === null) depth(field, column, from, to, middle, flat, half, shown, read(10));
    else laid(field, column, from, to, middle, flat, half, shown, ink);
  }
}

function mean(table: Float32Array, step: number, part: number): number {
  const here = table[step] as number;
  return here + part * ((table[step + 1] as number) - here);
}

function dashed(along: number): number {
  const off = LINE / 2 - Math.abs(along - Math.floor(along) - 0.5);
  return Math.min(1, Math.max(0, off * 25 + 0.5));
}

/** A crowd of ribbons becomes as deep as the dye, and no deeper. The walk down a column is written twice, here and in `laid`, because it is
 * most of a step's work: with the covers in a table of their own a step of ribbons takes an eighth more, with one loop for both a third. */
function depth(
  { data, width }: Field,
  column: number,
  from: number,
  to: number,
  middle: number,
  flat: number,
  half: number,
  alpha: number,
  dye: number,
): void {
  const [most, down] = [256 * alpha, 4 * width];
  let at = 4 * (from * width + column) + dye;
  for (let row = from; row <= to; row++, at += down) {
    const cover = half - Math.abs(row - middle) * flat;
    if (cover <= 0) continue;
    const old = data[at] as number;
    data[at] = old + (((255 - old) * ((cover < 1 ? cover * most : most) | 0) + 128) >> 8); // whole numbers: a third faster
  }
}

function laid(
  { data, width }: Field,
  column: number,
  from: number,
  to: number,
  middle: number,
  flat: number,
  half: number,
  alpha: number,
  [red, green, blue]: readonly [number, number, number],
): void {
  let at = 4 * (from * width + column);
  for (let row = from; row <= to; row++, at += 4 * width) {
    const cover = half - Math.abs(row - middle) * flat;
    if (cover <= 0) continue;
    const shown = cover < 1 ? cover * alpha : alpha;
    const rest = 1 - shown;
    data[at] = (data[at] as number) * rest + 255 * red * shown + 0.5;
    data[at + 1] = (data[at + 1] as number) * rest + 255 * green * shown + 0.5;
    data[at + 2] = (data[at + 2] as number) * rest + 255 * blue * shown + 0.5;
    data[at + 3] = Math.min(255, (data[at + 3] as number) * rest + 255 * shown + 0.5);
  }
}
