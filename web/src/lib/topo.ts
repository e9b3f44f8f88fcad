/** A layer's topographic map: where its cells lie, what they answer there, and which lie together. */

import { ramp, type Light } from "./colour";
import type { Lamp } from "./address";
import { inside, type Spot } from "./lasso";
import { value } from "./stain";
import type { DyeName, Table } from "./types";
import { unpack } from "./unpack";

export interface Measure {
  value: number | null;
  chance: number | null;
  z: number | null;
  better: string;
}

export interface Topo {
  layer: string;
  by: string;
  /** grid or disc, where every cell has a place of its own as wide as `side`. */
  shape: string;
  side: number;
  spacing: number;
  quality: Record<string, Measure>;
  /** By dye, what the deepest colour stands for, at every epoch. */
  limits: Partial<Record<DyeName, number>>;
  x: Float32Array;
  y: Float32Array;
}

export function topo(whole: ArrayBuffer): Topo {
  const { head, arrays } = unpack(whole);
  const said = head as unknown as Omit<Topo, "x" | "y">;
  return { ...said, x: arrays.get("x") as Float32Array, y: arrays.get("y") as Float32Array };
}

/** What is shown of a class: what a cell adds, or how it answers above its mean over classes. */
export function shown(table: Table, dye: DyeName, number: number): Float32Array {
  const found = new Float32Array(table.cells);
  for (let cell = 0; cell < table.cells; cell++) {
    let mean = 0;
    if (dye === "contrast") {
      let known = 0;
      for (let k = 0; k < table.classes; k++) {
        const one = value(table, k, cell);
        if (!Number.isNaN(one)) [mean, known] = [mean + one, known + 1];
      }
      mean /= Math.max(1, known);
    }
    found[cell] = value(table, number, cell) - mean;
  }
  return found;
}

/** What lies within half a cell of the units, square. */
export function frame(map: Topo): { left: number; top: number; side: number } {
  const half = (map.shape === "" ? map.spacing : map.side) / 2;
  const ends = [map.x, map.y].map((along) => [Math.min(...along) - half, Math.max(...along) + half] as const);
  const [[left, right], [top, bottom]] = ends as [readonly [number, number], readonly [number, number]];
  const side = Math.max(right - left, bottom - top, 1e-6);
  return { left: (left + right - side) / 2, top: (top + bottom - side) / 2, side };
}

/** Cells from teal over paper to vermilion; those of most weight on top. */
export function paint(
  context: CanvasRenderingContext2D,
  map: Topo,
  values: Float32Array,
  most: number,
  lamp: Lamp,
): void {
  const size = context.canvas.width;
  const { left, top, side } = frame(map);
  const light = ramp("change", lamp);
  const css = ([r, g, b]: Light): string => `rgb(${[r, g, b].map((v) => Math.round(255 * v)).join(",")})`;
  context.fillStyle = css(light(0.5));
  context.fillRect(0, 0, size, size);
  const wide = ((map.shape === "" ? 0.9 * map.spacing : map.side) / side) * size;
  const order = [...values.keys()].sort((a, b) => Math.abs(values[a] || 0) - Math.abs(values[b] || 0));
  for (const cell of order) {
    const by = values[cell] as number;
    if (Number.isNaN(by)) continue;
    context.fillStyle = css(light(0.5 + Math.min(1, Math.max(-1, by / most)) / 2));
    const x = (((map.x[cell] as number) - left) / side) * size;
    const y = (((map.y[cell] as number) - top) / side) * size;
    if (map.shape !== "")
      context.fillRect(Math.round(x - wide / 2), Math.round(y - wide / 2), Math.ceil(wide), Math.ceil(wide));
    else {
      context.beginPath();
      context.arc(x, y, Math.max(1, wide / 2), 0, 2 * Math.PI);
      context.fill();
    }
  }
}

/** The cell next to a place, if it is near. */
export function under(map: Topo, [x, y]: Spot): number | null {
  let best = -1;
  let least = Math.max(map.side, map.spacing) ** 2;
  for (let cell = 0; cell < map.x.length; cell++) {
    const apart = ((map.x[cell] as number) - x) ** 2 + ((map.y[cell] as number) - y) ** 2;
    if (apart < least) [best, least] = [cell, apart];
  }
  return best >= 0 ? best : null;
}

export function within(map: Topo, line: Spot[]): number[] {
  return [...map.x.keys()].filter((cell) => inside(line, [map.x[cell] as number, map.y[cell] as number]));
}

const RADIUS = 12.5 / 147;
const CENTRES = 64;
/** Of fewer cells a disc of several would be nearly all: it is then as wide as one. */
const FEW = 9;

/** The disc whose cells answer most on average, as nissl.topomap(...).region finds it; of nearly empty discs none. */
export function region(map: Topo, values: Float32Array): { centre: Spot; radius: number; cells: number[] } {
  const few = map.x.length < FEW;
  const radius = Math.max(RADIUS, (few ? 0.6 : 1.1) * map.spacing);
  const least = Math.min(Math.max(few ? 1 : 3, 0.5 * Math.PI * (radius / map.spacing) ** 2), map.x.length);
  let best = -Infinity;
  let centre: Spot = [0.5, 0.5];
  const apart = (cell: number, x: number, y: number): number =>
    ((map.x[cell] as number) - x) ** 2 + ((map.y[cell] as number) - y) ** 2;
  for (let row = 0; row < CENTRES; row++) {
    for (let column = 0; column < CENTRES; column++) {
      const [x, y] = [(column + 0.5) / CENTRES, (row + 0.5) / CENTRES];
      let [sum, count] = [0, 0];
      for (let cell = 0; cell < map.x.length; cell++) {
        if (apart(cell, x, y) <= radius ** 2) [sum, count] = [sum + (values[cell] || 0), count + 1];
      }
      if (count >= least && sum / count > best) [best, centre] = [sum / count, [x, y]];
    }
  }
  const around = (x: number, y: number): number[] =>
    [...map.x.keys()].filter((cell) => apart(cell, x, y) <= radius ** 2);
  const cells = around(...centre);
  const mean = (of: Float32Array | Float64Array): number =>
    cells.reduce((sum, cell) => sum + (of[cell] as number), 0) / cells.length;
  const middle: Spot = cells.length ? [mean(map.x), mean(map.y)] : centre; // of many discs that hold these cells
  return { centre: String(around(...middle)) === String(cells) ? middle : centre, radius, cells };
}

/** Examples by how much they drive these cells together, of those that are among each cell's own; the strongest first. */
export function together(examples: Uint32Array, values: Int16Array, top: number, cells: number[]): number[] {
  const sums = new Map<number, number>();
  for (const cell of cells) {
    for (let i = cell * top; i < (cell + 1) * top; i++) {
      sums.set(examples[i] as number, (sums.get(examples[i] as number) ?? 0) + Math.max(0, values[i] as number));
    }
  }
  return [...sums].sort((a, b) => b[1] - a[1]).map(([example]) => example);
}
