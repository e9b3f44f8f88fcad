/** Counts of what examples are (rows) and what was said of them (columns), and what follows from them. */

import type { Cells } from "./types";

export interface Judged {
  /** The share of each class's examples that were recognised, and of what was called so that was; null where there is none. */
  recall: (number | null)[];
  precision: (number | null)[];
}

export function judged(counts: Uint32Array, classes: number): Judged {
  const at = (row: number, column: number): number => counts[row * classes + column] ?? 0;
  const every = [...Array(classes).keys()];
  const share = (right: number, all: number): number | null => (all > 0 ? right / all : null);
  return {
    recall: every.map((k) =>
      share(
        at(k, k),
        every.reduce((sum, j) => sum + at(k, j), 0),
      ),
    ),
    precision: every.map((k) =>
      share(
        at(k, k),
        every.reduce((sum, j) => sum + at(j, k), 0),
      ),
    ),
  };
}

/** (class, epoch) of one of both, over what is there. */
export function over(known: (Cells | null)[], classes: number, which: keyof Judged): (number | null)[][] {
  const found = known.map((cells) => (cells?.confusion ? judged(cells.confusion, classes)[which] : null));
  return Array.from({ length: classes }, (_, k) => found.map((one) => one?.[k] ?? null));
}

/** The share of its examples that was recognised of each of these, at every epoch. */
export function recalled(known: (Cells | null)[], shown: number[]): (number | null)[][] {
  const found: (number | null)[][] = [];
  for (const k of shown) found[k] = known.map((cells) => cells?.right[k] ?? null);
  return found;
}

/** The first so many rows and columns. */
export function within(counts: Uint32Array, side: number): Uint32Array {
  const whole = Math.round(Math.sqrt(counts.length));
  return Uint32Array.from({ length: side * side }, (_, at) => counts[Math.floor(at / side) * whole + (at % side)] ?? 0);
}

/** Up to `most` places spread over a run, the first and the last among them. */
export function spread(length: number, most: number): number[] {
  if (length <= most) return [...Array(length).keys()];
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
}

/** Names at the end of lines, moved apart until none lies on another. */
export function apart(heights: number[], least: number, top: number, bottom: number): number[] {
  const order = [...heights.keys()].sort((a, b) => (heights[a] as number) - (heights[b] as number));
  const step = Math.min(least, (bottom - top) / Math.max(1, heights.length - 1));
  const found = [...heights];
  let before = top - step;
  for (const i of order) before = found[i] = Math.max(before + step, found[i] as number);
  let after = bottom + step;
  for (const i of [...order].reverse()) after = found[i] = Math.min(after - step, found[i] as number);
  return found;
}
