/** A line drawn round cells of a map, and the line round cells that were chosen. */

import type { Flat } from "./maps";

/** In cells: column and row, from the upper left corner. */
export type Spot = [number, number];

/** Is a place inside a closed line? */
export function inside(line: Spot[], [x, y]: Spot): boolean {
  let found = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [ax, ay] = line[i] as Spot;
    const [bx, by] = line[j] as Spot;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) found = !found;
  }
  return found;
}

/** The cells whose middle lies inside the line. */
export function caught(map: Flat, line: Spot[]): number[] {
  return map.order.filter((_, place) =>
    inside(line, [(place % map.columns) + 0.5, Math.floor(place / map.columns) + 0.5]),
  );
}

/** The sides between chosen cells and others: from and to, in cells. */
export function edges(columns: number, order: number[], chosen: ReadonlySet<number>): [Spot, Spot][] {
  const found: [Spot, Spot][] = [];
  const at = (column: number, row: number): boolean => {
    const cell = column < 0 || column >= columns || row < 0 ? undefined : order[row * columns + column];
    return cell !== undefined && chosen.has(cell);
  };
  order.forEach((cell, place) => {
    if (!chosen.has(cell)) return;
    const [x, y] = [place % columns, Math.floor(place / columns)];
    if (!at(x, y - 1)) found.push([[x, y], [x + 1, y]]); // prettier-ignore
    if (!at(x, y + 1)) found.push([[x, y + 1], [x + 1, y + 1]]); // prettier-ignore
    if (!at(x - 1, y)) found.push([[x, y], [x, y + 1]]); // prettier-ignore
    if (!at(x + 1, y)) found.push([[x + 1, y], [x + 1, y + 1]]); // prettier-ignore
  });
  return found;
}

/** Such sides as a path, each place put where it is seen. */
export function path(sides: [Spot, Spot][], seen: (spot: Spot) => Spot = (spot) => spot): string {
  return sides.map(([from, to]) => `M${seen(from).join(" ")}L${seen(to).join(" ")}`).join("");
}
