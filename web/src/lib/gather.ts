/** What needs every epoch fills as epochs come. */

import type { Microscope } from "./microscope.svelte";
import type { Cells } from "./types";

const PAUSE = 80;

/** Tells what is there of all epochs, again and again until all is; gives back how to stop. `end`: what for, one at a time. */
export function gather(look: Microscope, end: string, tell: (known: (Cells | null)[]) => void): () => void {
  const epochs = look.index?.epochs ?? [];
  const here: (Cells | null)[] = epochs.map(() => null);
  let ended = false;
  let due = false;
  const show = (): void => {
    due = false;
    if (!ended) tell([...here]);
  };
  look.files.soon(
    end,
    epochs.map((epoch, place) => async () => {
      if (ended) return;
      here[place] = await look.files.cells(epoch);
      if (due) return;
      due = true;
      setTimeout(show, PAUSE);
    }),
  );
  return () => {
    ended = true;
    look.files.soon(end, []);
  };
}
