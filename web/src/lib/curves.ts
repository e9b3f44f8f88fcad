/** Loss and accuracy over the epochs, as far as they were recorded. */

export interface Curve {
  name: string;
  label: string;
  values: (number | null)[];
  /** A share lies between 0 and 1, whatever it reaches. */
  share: boolean;
}

/** One curve of each kind: as heard on the held-out probe where it was, else in training. */
export function curves(scalars: Record<string, (number | null)[]>): Curve[] {
  const found: Curve[] = [];
  for (const [label, share] of [
    ["loss", false],
    ["accuracy", true],
  ] as const) {
    const name = [`probe_${label}`, label].find((one) => scalars[one]?.some((value) => value !== null));
    if (name !== undefined) found.push({ name, label, share, values: scalars[name] as (number | null)[] });
  }
  return found;
}

/** As an SVG path, broken where nothing was recorded. */
export function line(curve: Curve, x: (place: number) => number, height: number): string {
  const known = curve.values.filter((value): value is number => value !== null);
  const low = curve.share ? 0 : Math.min(...known);
  const high = curve.share ? 1 : Math.max(...known);
  /** Within the picture, also of what cannot be a share, or is too large to be measured off. */
  const part = (value: number): number =>
    high > low && Number.isFinite(high - low) ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5;
  const y = (value: number): number => 4 + (height - 8) * (1 - part(value));
  let path = "";
  let pen = false;
  curve.values.forEach((value, place) => {
    if (value !== null) path += `${pen ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = value !== null;
  });
  return path;
}

/** Which epochs are named below the line: the first, the last, and round ones between, as many as there is room for. */
export function ticks(epochs: number[], most: number): number[] {
  const last = epochs.length - 1;
  if (last < most) return [...epochs.keys()];
  const span = (epochs[last] as number) - (epochs[0] as number);
  const rough = span / most;
  const size = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((k) => k * size).find((one) => one >= rough) ?? rough;
  const found = [...epochs.keys()].filter(
    (place) => (epochs[place] as number) % step === 0 || place === 0 || place === last,
  );
  const apart = (place: number): boolean =>
    place === 0 || place === last || (far(epochs, place, 0) >= step * 0.6 && far(epochs, last, place) >= step * 0.6);
  return found.filter(apart);
}

function far(epochs: number[], late: number, early: number): number {
  return (epochs[late] as number) - (epochs[early] as number);
}
