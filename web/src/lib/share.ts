/** Which paths are drawn: each layer pair of each chosen class has a fair share of the ribbons. */

import { MOST, type Bundle, type Paths } from "./types";

export interface Ribbon {
  source: number;
  target: number;
  class: number;
  start: number;
  end: number;
  /** 0 to 1. */
  strength: number;
  lowers: boolean;
  /** How many are drawn of its bundle. */
  crowd: number;
}

/** What a small bundle leaves of its share goes to the others. */
export function shares(bundles: Bundle[], budget: number): [Bundle, number][] {
  const sorted = [...bundles].sort((a, b) => a.count - b.count);
  let left = budget;
  return sorted.map((bundle, place) => {
    const share = Math.min(bundle.count, Math.floor(left / (sorted.length - place)));
    left -= share;
    return [bundle, share];
  });
}

/** Weak ones first, so that strong ones lie on top. */
export function drawn(paths: Paths, chosen: number[], budget: number): Ribbon[] {
  const wanted = new Set(chosen);
  const found: Ribbon[] = [];
  for (const [bundle, share] of shares(
    paths.bundles.filter((one) => wanted.has(one.class)),
    budget,
  )) {
    for (let i = bundle.at; i < bundle.at + share; i++) {
      const signed = paths.strength[i] as number;
      found.push({
        source: bundle.source,
        target: bundle.target,
        class: bundle.class,
        start: paths.start[i] as number,
        end: paths.end[i] as number,
        strength: Math.abs(signed) / MOST,
        lowers: signed < 0,
        crowd: share,
      });
    }
  }
  return found.sort((a, b) => a.strength - b.strength);
}

/** How many of them a picture has room for. */
export function visible(paths: Paths, chosen: number[], budget: number): number {
  const wanted = paths.bundles.filter((one) => chosen.includes(one.class));
  return shares(wanted, budget).reduce((sum, [, share]) => sum + share, 0);
}

/** How many paths of any strength the chosen classes have. */
export function total(paths: Paths, chosen: number[]): number {
  const wanted = new Set(chosen);
  return paths.bundles.reduce((sum, one) => sum + (wanted.has(one.class) ? one.total : 0), 0);
}
