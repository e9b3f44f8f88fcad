/** A view says which numbers are behind it, for as long as it is seen. */

import type { Microscope } from "./microscope.svelte";
import type { Numbers } from "./take";

export function offer(look: () => Microscope, make: () => Numbers, when: () => boolean = () => true): void {
  $effect(() => {
    if (!when()) return;
    const whose = look();
    whose.table = make;
    return () => {
      if (whose.table === make) whose.table = null;
    };
  });
}
