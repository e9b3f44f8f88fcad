/** What may be looked at next: the epochs around the one that is. */

import type { Files } from "./files";
import type { Recorded, Shown } from "./types";

const AHEAD = 8;

export function near(files: Files, index: Shown | null, place: number, dye: Recorded): (() => Promise<unknown>)[] {
  const epochs = index?.epochs ?? [];
  const causal = index?.dyes.find((one) => one.name === "causal")?.epochs ?? [];
  return Array.from({ length: AHEAD }, (_, i) => [place + i + 1, place - i - 1])
    .flat()
    .map((one) => epochs[one])
    .filter((epoch) => epoch !== undefined)
    .flatMap((epoch) => [
      () => files.cells(epoch),
      () => files.paths(epoch, dye === "causal" && causal.includes(epoch) ? "causal" : "contrast"),
    ]);
}
