/** A line that is drawn around some of a map with the pointer: it is told from a click by how far it goes. */

import type { Spot } from "./lasso";

const FAR = 5;

type On = PointerEvent & { currentTarget: HTMLElement };

export class Drawing {
  line: Spot[] = $state.raw([]);
  private from: [number, number] | null = null;
  private drawn = false;

  begin(event: On): void {
    if (event.pointerType === "touch" || event.button !== 0) return; // a finger scrolls, and takes single cells
    [this.from, this.drawn] = [[event.clientX, event.clientY], false];
    event.currentTarget.setPointerCapture(event.pointerId);
  }

  /** False where nothing is held: then the pointer only looks. */
  moved(event: On, spot: Spot): boolean {
    if (this.from === null) return false;
    if (!this.drawn && Math.hypot(event.clientX - this.from[0], event.clientY - this.from[1]) < FAR) return true;
    this.drawn = true;
    this.line = [...this.line, spot];
    return true;
  }

  /** What was drawn; null: nothing was. */
  end(): Spot[] | null {
    const round = this.line;
    [this.line, this.from] = [[], null];
    return this.drawn ? round : null;
  }

  /** Is this click the end of a line, and no choice of a cell? */
  ended(): boolean {
    const drawn = this.drawn;
    this.drawn = false;
    return drawn;
  }
}
