/** Questions to the live network: what is posted, what comes back line by line, and why there may be nobody to ask. */

import type { Microscope } from "./microscope.svelte";

/** Asks, and tells how far the answer is, from 0 to 1. `until`: whoever asked has moved on. */
export type Ask = <T>(kind: string, question: object, told: (share: number) => void, until: AbortSignal) => Promise<T>;

export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    held += decoder.decode(value, { stream: !done });
    const parts = held.split("\n");
    held = parts.pop() ?? "";
    yield* parts.filter((part) => part !== "");
    if (done) break;
  }
  if (held !== "") yield held;
}

/** Why the network cannot be asked; empty where it can. */
export function silence(look: Microscope): string {
  if (look.files.source.ask === undefined) {
    return "This is a copy of the page without the network: it shows what was recorded, and nothing can be cut in it. `nissl view RUN` can.";
  }
  if (look.index?.alive) return "";
  return `The network is not here, only what was recorded of it. To cut units: \`${look.files.source.typed}\`; a run of \`nissl train\` has its own.`;
}
