/** What a unit wants to see, drawn by the network when it is asked for. */

import { coloured } from "./example";
import type { Cell, Microscope } from "./microscope.svelte";
import type { Told } from "./types";
import { unpack } from "./unpack";

export interface PortraitTold extends Told {
  steps: number;
}

export interface Portrait {
  unit: number;
  score: number | null;
  metric: string;
  realism: number | null;
  picture: ImageData | null;
}

export function portrait(look: Microscope, { slide, cell }: Cell): Promise<Portrait> {
  return look.files.part(`portraits/${slide}.${cell}.bin`, (whole) => {
    const { head, arrays } = unpack(whole);
    const picture = coloured(arrays.get("pixels") as Uint8Array, head.shape as number[]);
    return { ...(head as unknown as Portrait), picture };
  });
}
