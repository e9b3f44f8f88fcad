/** What examples are, and what was said of them at the cursor's epoch: fetched for the component that makes one. */

import type { Microscope } from "./microscope.svelte";
import { answers, labels, told, type Answers, type AnswersTold } from "./probe";

export class Heard {
  about: AnswersTold | null = $derived.by(() => told<AnswersTold>(this.of(), "answers"));
  known: Int16Array | null = $state.raw(null);
  /** Of the cursor's epoch, or null: never another's. */
  answers: Answers | null = $state.raw(null);

  constructor(private readonly of: () => Microscope) {
    $effect(() => {
      if (this.about === null) return;
      void labels(of())
        .then((found) => (this.known = found))
        .catch(() => (this.known = null));
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
        .catch(() => epoch === look.epoch && (this.answers = null));
    });
  }
}
