/** One thing that is asked of the live network, again and again as one moves on: only the newest question counts. */

import { untrack } from "svelte";
import type { Microscope } from "./microscope.svelte";

export class Question<T> {
  /** The last answer, and what was asked for it, as JSON. */
  answer: T | null = $state.raw(null);
  about: string = $state("");
  trouble: string = $state("");
  /** How far the next answer is; null: nothing is under way. */
  share: number | null = $state(null);
  private ending: AbortController | null = null;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private wanted = "";

  constructor(
    private readonly look: () => Microscope,
    private readonly kind: string,
  ) {}

  /** After a pause, so that a slider that moves on asks once. */
  ask(question: object, pause = 0): void {
    untrack(() => this.renew(question, pause)); // whoever asks does so when the question changes, not the answer
  }

  private renew(question: object, pause: number): void {
    const about = JSON.stringify(question);
    if (about === this.wanted && this.trouble === "") return;
    this.stop();
    this.wanted = about;
    this.share = 0;
    this.trouble = "";
    this.waiting = setTimeout(() => void this.go(question, about), pause);
  }

  /** Nothing is wanted any more; the last answer goes too. */
  clear(): void {
    this.stop();
    [this.answer, this.about, this.trouble, this.wanted] = [null, "", "", ""];
  }

  /** The work for an answer that nobody waits for ends. */
  stop(): void {
    clearTimeout(this.waiting);
    this.ending?.abort();
    [this.ending, this.share, this.wanted] = [null, null, ""];
  }

  private async go(question: object, about: string): Promise<void> {
    const ask = this.look().files.source.ask;
    if (ask === undefined) return;
    const ending = (this.ending = new AbortController());
    const told = (share: number): void => {
      if (!ending.signal.aborted) this.share = share;
    };
    try {
      const answer = await ask<T>(this.kind, question, told, ending.signal);
      if (ending.signal.aborted) return;
      [this.answer, this.about] = [answer, about];
    } catch (error) {
      if (ending.signal.aborted) return;
      this.trouble = error instanceof Error ? error.message : String(error);
    }
    this.share = null;
  }
}
