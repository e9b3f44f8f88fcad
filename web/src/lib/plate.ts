/** Of a layer with more units than cells every single unit: where it lies, whose it is, and what it looks like. */

import type { Lamp } from "./address";
import { fading, PAPER } from "./colour";
import type { Files } from "./files";
import type { Spot } from "./lasso";
import type { LayerInfo, Recorded } from "./types";
import { unpack } from "./unpack";

/** Which unit lies where, row by row; and where each lies. */
export interface Ground {
  columns: number;
  rows: number;
  order: Uint32Array;
  place: Uint32Array;
}

/** By place: the class whose dye the unit takes (as many as there are classes: none), and steps of depth and grey. */
export interface Plate {
  epoch: number;
  owner: Uint8Array | Uint16Array;
  depth: Uint8Array;
  grey: Uint8Array;
  deepest: number;
  greyest: number;
}

/** Steps of depth and of grey. */
const DEPTHS = 256;
const GREYS = 64;
const FOREIGN = 0.25;
/** Of what isn't chosen so much is still seen, of 255. */
const FADED = 56;

export function ground(files: Files, slide: number): Promise<Ground> {
  return files.part(`plates/${slide}.bin`, (whole) => {
    const order = unpack(whole).arrays.get("order") as Uint32Array;
    const place = new Uint32Array(order.length);
    order.forEach((unit, at) => (place[unit] = at));
    const columns = Math.max(1, Math.ceil(Math.sqrt(order.length)));
    return { columns, rows: Math.max(1, Math.ceil(order.length / columns)), order, place };
  });
}

export function plate(files: Files, slide: number, epoch: number, dye: Recorded): Promise<Plate> {
  return files.part(`plates/${slide}.${epoch}.${dye}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const { deepest, greyest } = head as { deepest: number; greyest: number };
    const [owner, depth, grey] = ["owner", "depth", "grey"].map((name) => arrays.get(name)) as Uint8Array[];
    return { epoch, owner, depth, grey, deepest, greyest } as Plate;
  });
}

/** The cell that holds the unit at a place: cells are as many units that lie together. */
export function cellAt(layer: LayerInfo, place: number): number {
  return Math.floor(place / (layer.counts?.[0] ?? 1));
}

/** The colour of every step of depth and grey by every dye, as pixels; and by class which of the dyes is its own. */
export interface Lights {
  words: Uint32Array;
  dye: Uint16Array;
}

/** `inks`: by class, null where it is not stained: what is its own is then pale grey. Made once for all epochs. */
export function lights(inks: (string | null)[], lamp: Lamp, deepest: number, greyest: number): Lights {
  const stained = inks.filter((ink) => ink !== null);
  const kinds: [string | null, number][] = [...stained.map((ink): [string, number] => [ink, 1]), [null, FOREIGN]];
  const words = new Uint32Array((kinds.length + 1) * GREYS * DEPTHS);
  const bright = lamp === "bright";
  const paper = PAPER[lamp].map((v) => 255 * (bright ? v : 1 - v));
  const counter = fading(null, lamp);
  [...kinds, [null, 0] as [null, number]].forEach(([ink, share], kind) => {
    const by = fading(ink, lamp);
    for (let grey = 0; grey < GREYS; grey++)
      for (let depth = 0; depth < DEPTHS; depth++) {
        let word = 0xff000000;
        for (let i = 0; i < 3; i++) {
          const dyed = ((share * deepest * depth) / (DEPTHS - 1)) * (by[i] as number);
          const left =
            (paper[i] as number) * Math.exp(-dyed - ((greyest * grey) / (GREYS - 1)) * (counter[i] as number));
          word |= Math.round(bright ? left : 255 - left) << (8 * i);
        }
        words[(kind * GREYS + grey) * DEPTHS + depth] = word;
      }
  });
  let next = 0;
  const dye = [...inks.map((ink) => (ink === null ? stained.length : next++)), stained.length + 1];
  return { words, dye: Uint16Array.from(dye) };
}

/** A pixel a unit, into a picture that is there already: a million of them are four megabytes, at every step. `kept`: of some alone. */
export function painted(on: Ground, shown: Plate, by: Lights, kept: ReadonlySet<number> | null, into: ImageData): void {
  const words = new Uint32Array(into.data.buffer);
  const { owner, depth, grey } = shown;
  const { words: light, dye } = by;
  for (let place = 0; place < owner.length; place++) {
    const kind = dye[owner[place] as number] as number;
    const step = (kind * GREYS + (grey[place] as number)) * DEPTHS + (depth[place] as number);
    words[place] = light[step] as number;
  }
  if (kept === null) return;
  for (let place = 0; place < owner.length; place++)
    if (!kept.has(on.order[place] as number)) into.data[4 * place + 3] = FADED;
}

/** The units inside a closed line, given in columns and rows; row by row. */
export function caught(on: Ground, line: Spot[]): number[] {
  const found: number[] = [];
  const ys = line.map((spot) => spot[1]);
  const last = Math.min(on.rows - 1, Math.ceil(Math.max(...ys)));
  for (let row = Math.max(0, Math.floor(Math.min(...ys))); row <= last; row++) {
    const cuts = crossed(line, row + 0.5);
    for (let k = 0; k + 1 < cuts.length; k += 2) {
      const from = Math.max(0, Math.ceil((cuts[k] as number) - 0.5));
      const to = Math.min(on.columns - 1, Math.ceil((cuts[k + 1] as number) - 0.5) - 1);
      for (let column = from; column <= to; column++) {
        const unit = on.order[row * on.columns + column];
        if (unit !== undefined) found.push(unit);
      }
    }
  }
  return found.sort((a, b) => a - b);
}

/** Where a closed line crosses a row, from left to right; as `inside` counts. */
function crossed(line: Spot[], y: number): number[] {
  const found: number[] = [];
  line.forEach(([ax, ay], i) => {
    const [bx, by] = line[(i + line.length - 1) % line.length] as Spot;
    if (ay > y !== by > y) found.push(((bx - ax) * (y - ay)) / (by - ay) + ax);
  });
  return found.sort((a, b) => a - b);
}
