/** What the network's side says of a structure that was put to the proof: nissl's own report, as JSON. */

export interface Cut {
  accuracy: number | null;
  others: number | null;
  lost: number | null;
  worst: string;
  worst_lost: number | null;
}

export interface Curve {
  name: string;
  units: number[];
  faithful: (number | null)[];
  deleted: Cut;
}

export interface Report {
  target: string;
  units: number;
  total: number;
  held_out: boolean;
  examples: number;
  available: number;
  findings: { word: string; holds: boolean; why: string }[];
  verdict: string[];
  intact: Cut;
  deleted: Cut;
  alone: number | null;
  random: { draws: number; p_lost: number; p_alone: number; cuts: Cut[] };
  curve: Curve;
  naive: Curve[];
  notes: string[];
}

export interface Deletions {
  deleted: string[];
  classes: string[];
  intact: (number | null)[];
  accuracy: (number | null)[][];
  units: number[];
  total: number;
  held_out: boolean;
  epoch: number | null;
}

export function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** A faithfulness curve in a box of 1 by 1, x by the root of the share of units: small structures are what matters. */
export function curvePath({ units, faithful }: Curve, total: number): string {
  let path = "";
  units.forEach((count, place) => {
    const value = faithful[place];
    if (value == null) return;
    const y = 1 - Math.min(1.15, Math.max(-0.15, value));
    path += `${path === "" ? "M" : "L"}${Math.sqrt(count / Math.max(total, 1)).toFixed(4)} ${y.toFixed(4)}`;
  });
  return path;
}

/** Of random structures the mean of what their deletion leaves. */
export function mean(cuts: Cut[], of: "accuracy" | "others"): number | null {
  const known = cuts.map((cut) => cut[of]).filter((value): value is number => value !== null);
  return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null;
}
