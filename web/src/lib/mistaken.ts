/** Examples of one class that were taken for another at an epoch: a cell of a confusion matrix. */

import type { Microscope } from "./microscope.svelte";
import { among, answers, labels } from "./probe";
import { said as words } from "./where";

export interface Mistaken {
  is: number;
  said: number;
  epoch: number;
}

/** Gather them; where answers were not kept, it is said. */
export async function gatherCell(look: Microscope, cell: Mistaken): Promise<void> {
  look.gathered = [];
  look.cell = cell;
  try {
    const [known, heard] = await Promise.all([labels(look), answers(look, cell.epoch)]);
    if (look.cell !== cell) return;
    if (known === null) throw new Error("What the examples are was not recorded.");
    look.gathered = among(known, heard.said, cell.is, cell.said);
    look.cell = cell;
  } catch (error) {
    if (look.cell !== cell) return;
    look.gathered = [];
    look.tell(`The examples of this cell can't be gathered: ${words(error)}`);
  }
}
