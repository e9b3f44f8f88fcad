/** What examples are, and what was said of them at the cursor's epoch: fetched for the component that makes one. */

import type { Microscope } from "./microscope.svelte";
import { answers, labels, told, type Answers, type AnswersTold } from "./probe";

export class Heard {
  about: AnswersTold | null = $derived.by(() => told<AnswersTold>(this.of(), "answers"));
  known: Int16Array | null = $state.raw(null);
  /** The last that came: its epoch says of when. */
  answers: Answers | null = $state.raw(null);
  private failed: string[] = $state.raw([]);
  /** Is there more to come before anything can be said? */
  waiting: boolean = $derived.by(() => {
    if (this.about === null) return false;
    const labels = this.about.labelled && this.known === null && !this.failed.includes("labels");
    const said =
      this.about.epochs.includes(this.of().epoch) && this.answers === null && !this.failed.includes("answers");
    return labels || said;
  });

  constructor(private readonly of: () => Microscope) {
    $effect(() => {
      if (this.about === null) return;
      void labels(of())
        .then((found) => (this.known = found))
        .catch(() => (this.failed = ["labels", ...this.failed]));
    });
    $effect(() => {
      const look = of();
      const epoch = look.epoch;
      if (!this.about?.epochs.includes(epoch)) {
        this.answers = null;
        return;
      }
      answers(look, epoch)
        .then((found) => epoch === look.epoch && (this.answers = found))
        .catch(() => {
          if (epoch !== look.epoch) return;
          [this.answers, this.failed] = [null, ["answers", ...this.failed]];
        });
    });
  }
}
