/** Points by the processor alone: straight into the picture's pixels, a million of them in some hundredths of a second. */

import { hex, PAPER, type Light } from "../lib/colour";
import { FULL, GAP, NONE, PALE, RING, stride, type Field } from "../lib/field";
import type { PointPainter } from "./points";

/** The pixels of a disc around a point: how far aside and down, and how much of each is covered, 256 being all. */
interface Disc {
  aside: Int16Array;
  down: Int16Array;
  cover: Uint16Array;
  reach: number;
  /** Covers all of its pixels. */
  square: boolean;
}

const discs = new Map<number, Disc>();

export function plainPoints(canvas: HTMLCanvasElement): PointPainter | null {
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) return null;
  const over = document.createElement("canvas");
  return {
    name: "canvas",
    paint(field, pixels) {
      const width = Math.max(1, Math.round(field.width * pixels));
      const height = Math.max(1, Math.round(field.height * pixels));
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      const picture = new ImageData(width, height);
      const lights = new Uint32Array(picture.data.buffer);
      const paper = packed(PAPER[field.lamp]);
      if (field.trails === null) {
        lights.fill(paper);
        dots(field, lights, width, height, pixels);
        context.putImageData(picture, 0, 0);
        return;
      }
      context.fillStyle = hex(PAPER[field.lamp]);
      context.fillRect(0, 0, width, height);
      strokes(context, field, pixels);
      dots(field, lights, width, height, pixels);
      [over.width, over.height] = [width, height];
      over.getContext("2d")?.putImageData(picture, 0, 0);
      context.drawImage(over, 0, 0);
    },
  };
}

/** Pale ones below, then the others, and above all those with a ring. */
function dots(field: Field, lights: Uint32Array, width: number, height: number, pixels: number): void {
  const { places, inks, rings, gathered, lens } = field;
  const count = inks.length;
  const step = stride(count);
  const paper = PAPER[field.lamp];
  const plain = Uint32Array.from(field.colours, packed);
  const pale = Uint32Array.from(field.colours, (light) =>
    packed(light.map((v, i) => PALE * v + (1 - PALE) * (paper[i] ?? 0)) as Light),
  );
  const factor = (lens.scale / FULL) * pixels;
  const [left, base] = [lens.x * pixels, (lens.y + lens.scale) * pixels];
  const dot = disc(field.size * pixels);
  const [outer, inner] = [disc((field.size + RING) * pixels), disc((field.size + GAP) * pixels)];
  const blank = packed(paper);
  const later = new Uint32Array(count);
  const last: number[] = [];
  const draw = (i: number, of: Uint32Array): void =>
    put(
      lights,
      width,
      height,
      dot,
      left + (places[2 * i] as number) * factor,
      base - (places[2 * i + 1] as number) * factor,
      of[inks[i] as number] as number,
    );
  let some = 0;
  for (let k = 0, i = 0; k < count; k++, i = i + step < count ? i + step : i + step - count) {
    const chosen = gathered === null || gathered[i] === 1;
    if (chosen && rings !== null && rings[i] !== NONE) last.push(i);
    else if (gathered === null) draw(i, plain);
    else if (chosen) later[some++] = i;
    else draw(i, pale);
  }
  for (let k = 0; k < some; k++) draw(later[k] as number, plain);
  for (const i of last) {
    const x = left + (places[2 * i] as number) * factor;
    const y = base - (places[2 * i + 1] as number) * factor;
    put(lights, width, height, outer, x, y, plain[rings?.[i] ?? 0] as number);
    put(lights, width, height, inner, x, y, blank);
    put(lights, width, height, dot, x, y, plain[inks[i] as number] as number);
  }
}

function put(lights: Uint32Array, width: number, height: number, of: Disc, x: number, y: number, light: number): void {
  const toX = Math.floor(x);
  const toY = Math.floor(y);
  const inside = toX >= of.reach && toY >= of.reach && toX < width - of.reach && toY < height - of.reach;
  if (!inside && (toX < -of.reach || toY < -of.reach || toX >= width + of.reach || toY >= height + of.reach)) return;
  const { aside, down, cover } = of;
  if (inside && of.square) {
    for (let j = 0; j < aside.length; j++)
      lights[(toY + (down[j] as number)) * width + toX + (aside[j] as number)] = light;
    return;
  }
  for (let j = 0; j < aside.length; j++) {
    const atX = toX + (aside[j] as number);
    const atY = toY + (down[j] as number);
    if (!inside && (atX < 0 || atY < 0 || atX >= width || atY >= height)) continue;
    const at = atY * width + atX;
    const part = cover[j] as number;
    lights[at] = part === 256 ? light : blended(lights[at] as number, light, part);
  }
}

/** A little of one light over another; over nothing it keeps its own colour, and is as clear as it covers little. */
function blended(under: number, over: number, part: number): number {
  const alpha = under >>> 24;
  if (alpha === 0) return ((part - 1) << 24) | (over & 0xffffff);
  const one = (shift: number): number =>
    ((((under >>> shift) & 255) * (256 - part) + ((over >>> shift) & 255) * part) >> 8) << shift;
  return (Math.max(alpha, part - 1) << 24) | one(16) | one(8) | one(0);
}

function disc(across: number): Disc {
  const key = Math.round(across * 4);
  const known = discs.get(key);
  if (known !== undefined) return known;
  const wide = Math.max(1, key / 4);
  const reach = Math.ceil(wide / 2) + 1;
  const found: [number, number, number][] = [];
  const small = wide < 3.5; // a square: nobody sees its corners
  const [least, most] = [-Math.floor(Math.round(wide) / 2), Math.ceil(Math.round(wide) / 2)];
  for (let y = small ? least : -reach; y < (small ? most : reach + 1); y++) {
    for (let x = small ? least : -reach; x < (small ? most : reach + 1); x++) {
      const cover = small ? 1 : Math.min(1, Math.max(0, wide / 2 - Math.hypot(x, y) + 0.5));
      if (cover > 0.02) found.push([x, y, Math.round(256 * cover)]);
    }
  }
  const made: Disc = {
    aside: Int16Array.from(found, ([x]) => x),
    down: Int16Array.from(found, ([, y]) => y),
    cover: Uint16Array.from(found, ([, , cover]) => cover),
    reach,
    square: small,
  };
  discs.set(key, made);
  return made;
}

function strokes(context: CanvasRenderingContext2D, field: Field, pixels: number): void {
  const { trails, places, lens } = field;
  if (trails === null) return;
  const factor = lens.scale / FULL;
  const base = lens.y + lens.scale;
  context.setTransform(pixels, 0, 0, pixels, 0, 0);
  context.globalAlpha = 0.4;
  context.lineWidth = 1;
  const every = trails.which ?? [...field.inks.keys()];
  for (const [ink, light] of field.colours.entries()) {
    context.beginPath();
    let some = false;
    for (const i of every) {
      if (field.inks[i] !== ink) continue;
      some = true;
      context.moveTo(
        lens.x + (trails.from[2 * i] as number) * factor,
        base - (trails.from[2 * i + 1] as number) * factor,
      );
      context.lineTo(lens.x + (places[2 * i] as number) * factor, base - (places[2 * i + 1] as number) * factor);
    }
    if (!some) continue;
    context.strokeStyle = hex(light);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** As it lies in memory, red first. */
function packed(light: Light): number {
  const [red, green, blue] = light.map((v) => Math.round(255 * Math.min(1, Math.max(0, v)))) as Light;
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
