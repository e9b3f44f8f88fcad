/** Units by the cells that show them, and back. */

/** Of a large layer, the cell of each unit; null where each cell shows one. */
export type Home = ArrayLike<number> | null;

export function cellsOf(home: Home, units: number[]): number[] {
  return home === null ? units : [...new Set(units.map((unit) => home[unit] ?? 0))];
}

export function unitsOf(home: Home, cells: number[]): number[] {
  if (home === null) return sorted(cells);
  const wanted = new Set(cells);
  return [...Array(home.length).keys()].filter((unit) => wanted.has(home[unit] as number));
}

/** Both, each once. */
export function joined(one: number[], other: number[]): number[] {
  return sorted([...new Set([...one, ...other])]);
}

/** Without the others if there is one of them, else with all of them. */
export function toggled(one: number[], others: number[]): number[] {
  const mine = new Set(others);
  return one.some((unit) => mine.has(unit)) ? one.filter((unit) => !mine.has(unit)) : joined(one, others);
}

export function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
