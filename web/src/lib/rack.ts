/** Where everything stands: slides of cells seen from the side, ports of the classes at the right. In CSS pixels. */

import type { DyeName, LayerInfo } from "./types";

export type Point = [number, number];

export interface Slide {
  layer: LayerInfo;
  columns: number;
  rows: number;
  side: number;
  origin: Point;
  across: Point;
  down: Point;
  /** Cells as they lie, row by row; and the place of each cell among them. */
  order: number[];
  place: Int32Array;
  /** The middle of the room it stands in, and how wide that is. */
  centre: number;
  room: number;
}

export interface Port {
  number: number;
  x: number;
  y: number;
  height: number;
}

export interface Rack {
  width: number;
  height: number;
  slides: Slide[];
  ports: Port[];
  step: number;
}

const LEAN = 0.34;
const FLAT = 0.94;
const LARGEST = 40;
export const TOP = 84;
const BOTTOM = 18;
const MOST_PORTS = 12;

export function portsWidth(width: number): number {
  return width < 620 ? 96 : width < 900 ? 160 : 220;
}

export function rack(
  layers: LayerInfo[],
  dye: DyeName,
  classes: number,
  chosen: number[],
  width: number,
  height: number,
): Rack {
  const right = classes > 0 ? portsWidth(width) : 16;
  const room = (width - right - 16) / Math.max(layers.length, 1);
  const high = Math.max(40, height - TOP - BOTTOM);
  const slides = layers.map((layer, place) => slide(layer, dye, 8 + room * place, room, high));
  const listed = classes <= MOST_PORTS ? Array.from({ length: classes }, (_, k) => k) : chosen;
  const step = Math.min(58, high / Math.max(listed.length, 1));
  const first = TOP + high / 2 - (step * (listed.length - 1)) / 2;
  const ports = listed.map((number, place) => ({
    number,
    x: width - right,
    y: first + step * place,
    height: Math.min(30, 0.68 * step),
  }));
  return { width, height, slides, ports, step };
}

function slide(layer: LayerInfo, dye: DyeName, left: number, room: number, high: number): Slide {
  const wide = room * 0.66;
  const order = ordered(layer, dye);
  const count = order.length;
  const columns = count <= 12 ? 1 : Math.max(2, Math.round(Math.sqrt((count * wide) / (1.25 * high))));
  const rows = Math.max(1, Math.ceil(count / columns));
  const lean = columns > 1 ? LEAN : 0;
  const flat = lean > 0 ? FLAT : 1;
  const side = Math.min(wide / (columns * flat), high / (rows + lean * columns), LARGEST);
  const place = new Int32Array(layer.cells).fill(-1);
  order.forEach((cell, at) => (place[cell] = at));
  return {
    layer,
    columns,
    rows,
    side,
    order,
    place,
    room,
    centre: left + room / 2,
    origin: [
      left + (room - side * columns * flat) / 2,
      TOP + (high - side * (rows + lean * columns)) / 2 + side * lean * columns,
    ],
    across: [side * flat, -side * lean],
    down: [0, side],
  };
}

/** The cells of a layer as they lie, by what they are dyed; a saved structure moves none. */
export function ordered(layer: LayerInfo | undefined, dye: DyeName): number[] {
  const orders = layer?.orders;
  return (dye === "structure" ? orders?.causal : orders?.[dye]) ?? orders?.contrast ?? [];
}

/** A point of a slide, given as columns and rows from its corner. */
export function at(slide: Slide, column: number, row: number): Point {
  return [
    slide.origin[0] + column * slide.across[0] + row * slide.down[0],
    slide.origin[1] + column * slide.across[1] + row * slide.down[1],
  ];
}

/** The middle of a cell, or of its left (-0.5) or right (0.5) edge. */
export function centre(slide: Slide, cell: number, aside = 0): Point {
  const place = slide.place[cell] ?? 0;
  return at(slide, (place % slide.columns) + 0.5 + aside, Math.floor(place / slide.columns) + 0.5);
}

/** The four corners of a slide. */
export function outline(slide: Slide, pad: number): Point[] {
  const corners: Point[] = [
    [0, 0],
    [slide.columns, 0],
    [slide.columns, slide.rows],
    [0, slide.rows],
  ];
  const middle = at(slide, slide.columns / 2, slide.rows / 2);
  return corners.map(([column, row]) => {
    const [x, y] = at(slide, column, row);
    return [x + pad * Math.sign(x - middle[0]), y + pad * Math.sign(y - middle[1])];
  });
}

/** The cell under a point: its slide's number and its own; null where there is none. */
export function under(rack: Rack, x: number, y: number): { slide: number; cell: number } | null {
  for (const [number, one] of rack.slides.entries()) {
    const column = Math.floor((x - one.origin[0]) / one.across[0]);
    const row = Math.floor((y - one.origin[1] - ((x - one.origin[0]) / one.across[0]) * one.across[1]) / one.down[1]);
    if (column < 0 || column >= one.columns || row < 0 || row >= one.rows) continue;
    const cell = one.order[row * one.columns + column];
    if (cell !== undefined) return { slide: number, cell };
  }
  return null;
}
