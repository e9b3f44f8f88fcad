/** The painter without a graphics card: every pixel mixed here, and handed to the canvas at once. */

import { PAPER } from "../lib/colour";
import { SILENT, type Scene, type Slab } from "../lib/scene";
import { fit } from "./fit";
import type { Painter } from "./painter";
import { strokes, type Field } from "./strokes";

const DOT = { bright: [89, 94, 102], dark: [107, 117, 128] } as const;
type Pixels = Uint8ClampedArray<ArrayBuffer>;

export function plain(canvas: HTMLCanvasElement): Painter | null {
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (context === null) return null;
  let field: Field | null = null;
  let picture = new ImageData(1, 1);
  return {
    name: "canvas",
    end: () => undefined,
    paint(scene, pixels) {
      fit(canvas, scene, pixels);
      const { width, height } = canvas;
      if (picture.width !== width || picture.height !== height) picture = new ImageData(width, height);
      const [red, green, blue] = PAPER[scene.lamp].map((v) => Math.round(255 * v)) as [number, number, number];
      new Uint32Array(picture.data.buffer).fill(0xff000000 + (blue << 16) + (green << 8) + red);
      for (const slab of scene.slabs) cells(picture, slab, scene, pixels);
      field = strokes(scene, pixels, width, height, field);
      if (scene.mixed) through(picture.data, field, scene);
      else over(picture.data, field);
      context.putImageData(picture, 0, 0);
    },
  };
}

/** A slide stands upright and slanting: in each column of pixels its places are one below the other. */
function cells(
  { data, width, height }: ImageData,
  { slide, pixels: found, gap }: Slab,
  scene: Scene,
  fine: number,
): void {
  const [left, high] = [fine * slide.origin[0], fine * slide.origin[1]];
  const [across, slope, side] = [fine * slide.across[0], slide.across[1] / slide.across[0], fine * slide.side];
  const radius = fine * Math.min(1.8, Math.max(0.5, 0.08 * slide.side));
  const [whole, lights] = [new Uint32Array(data.buffer), new Uint32Array(found.buffer)];
  const last = Math.min(width - 1, Math.floor(left + across * slide.columns - 0.5));
  for (let x = Math.max(0, Math.ceil(left - 0.5)); x <= last; x++) {
    const way = (x + 0.5 - left) / across;
    const column = way | 0;
    const beside = way - column;
    const top = high + (x + 0.5 - left) * slope;
    const end = Math.min(height - 1, Math.floor(top + side * slide.rows - 0.5));
    for (let y = Math.max(0, Math.ceil(top - 0.5)); y <= end; y++) {
      const down = (y + 0.5 - top) / side;
      const row = down | 0;
      const from = 4 * (row * slide.columns + column);
      const kind = found[from + 3] as number;
      if (kind === 0) continue;
      const below = down - row;
      const at = 4 * (y * width + x);
      if (kind === SILENT) {
        const near = radius - Math.hypot(beside - 0.5, below - 0.5) * side + 0.5;
        if (near > 0) blend(data, at, DOT[scene.lamp], 0, Math.min(1, near));
      } else {
        const edge = Math.min(beside, 1 - beside, below, 1 - below) - gap / 2;
        const near = gap > 0 ? edge * side + 0.5 : 1;
        if (near >= 1) whole[at >> 2] = lights[from >> 2] as number;
        else if (near > 0) blend(data, at, found, from, near);
      }
    }
  }
}

function blend(data: Pixels, at: number, light: ArrayLike<number>, from: number, share: number): void {
  for (let i = 0; i < 3; i++) {
    const old = data[at + i] as number;
    data[at + i] = old + ((light[from + i] as number) - old) * share;
  }
}

/** Depths of dyes as what they take from the light, or give. */
function through(data: Pixels, field: Field, { inks, lamp }: Scene): void {
  const bright = lamp === "bright";
  const taken = inks.map((ink) => ink.map((own) => (bright ? 1 - own : own) / 255));
  const depths = new Uint32Array(field.data.buffer);
  for (let place = field.width * field.top; place < field.width * field.bottom; place++) {
    if (depths[place] === 0) continue;
    for (let i = 0; i < 3; i++) {
      let left = 1;
      for (let k = 0; k < taken.length; k++)
        left *= 1 - (field.data[4 * place + k] as number) * ((taken[k] as number[])[i] as number);
      const old = data[4 * place + i] as number;
      data[4 * place + i] = bright ? old * left : 255 - (255 - old) * left;
    }
  }
}

/** Colours as they are, premultiplied, over what is there. */
function over(data: Pixels, field: Field): void {
  for (let at = 4 * field.width * field.top; at < 4 * field.width * field.bottom; at += 4) {
    const alpha = field.data[at + 3] as number;
    if (alpha === 0) continue;
    for (let i = 0; i < 3; i++)
      data[at + i] = (field.data[at + i] as number) + (data[at + i] as number) * (1 - alpha / 255);
  }
}
