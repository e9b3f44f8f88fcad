/** When to look again at a run that is still recorded: when its server says so, else every two seconds; and not while nobody sees the page. */

import type { Source } from "./source";

export const LOOK_AGAIN = 2000;

export class Listening {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private hang: (() => void) | null = null;
  /** A stream broke off before it said anything: whatever is in between, looking again works. */
  private deaf = false;
  private heard = false;

  constructor(
    private readonly source: Source,
    private readonly look: () => void,
  ) {}

  /** From now on; `offered`: the run's server says by itself when there is more. */
  begin(offered: boolean): void {
    clearTimeout(this.timer);
    if (typeof document !== "undefined" && document.hidden) return this.end();
    if (!offered || this.deaf || this.source.watch === undefined) {
      this.timer = setTimeout(this.look, LOOK_AGAIN);
      return;
    }
    this.hang ??= this.source.watch(
      () => {
        this.heard = true;
        this.look();
      },
      () => {
        this.deaf = !this.heard;
        this.end();
        this.timer = setTimeout(this.look, LOOK_AGAIN);
      },
    );
  }

  end(): void {
    clearTimeout(this.timer);
    this.hang?.();
    this.hang = null;
    this.heard = false;
  }
}
