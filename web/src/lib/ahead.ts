/** Which files may be wanted next: those of the epochs around the cursor, the nearest first. */

import type { Files } from "./files";
import type { DyeName, Shown } from "./types";

const AHEAD = 8;

export function near(files: Files, index: Shown | null, place: number, dye: DyeName): (() => Promise<unknown>)[] {
  const epochs = index?.epochs ?? [];
  const causal = index?.dyes.find((one) => one.name === "causal")?.epochs ?? [];
  const places = Array.from({ length: AHEAD }, (_, i) => [place + i + 1, place - i - 1]).flat();
  return places
    .map((one) => epochs[one])
    .filter((epoch) => epoch !== undefined)
    .flatMap((epoch) => [
      () => files.cells(epoch),
      () => files.paths(epoch, dye === "causal" && causal.includes(epoch) ? "causal" : "contrast"),
    ]);
}
