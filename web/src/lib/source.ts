/** Where a run's files come from: a server or folder beside the page, or the page itself. */

import { lines, type Ask } from "./asking";
import { missing } from "./missing";

export interface Source {
  /** One file; `stamp` tells apart what was made of a run before and after it grew. */
  get(name: string, stamp: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Can the run grow while we look? */
  live: boolean;
  /** Tells whenever the run may have grown, or once that it can't any longer tell; gives back how to stop. */
  watch?(heard: () => void, lost: () => void): () => void;
  /** Asks the live network; absent where there is nobody to ask. */
  ask?: Ask;
  /** What is to be typed for the network to be there. */
  typed?: string;
}

/** What went wrong, in words for people. */
export class Unread extends Error {}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Files beside the page, from nissl's own server or any web host. */
export function beside(root: string, stream = "live", questions = "ask/"): Source {
  return {
    live: true,
    ask: asker(questions),
    typed: "nissl view RUN --model FILE.py:NAME --data FILE.py:NAME",
    watch(heard, lost) {
      const events = new EventSource(stream);
      events.onmessage = heard;
      events.onerror = () => {
        events.close();
        lost();
      };
      return () => events.close();
    },
    async get(name, stamp) {
      let answer: Response;
      try {
        answer = await fetch(`${root}${name}?v=${encodeURIComponent(stamp)}`, { credentials: "omit" });
      } catch {
        throw new Unread(
          "Nothing answers at this page's address: was `nissl view` ended? Start it again and open its new link.",
        );
      }
      if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
      const said = await answer.text();
      throw new Unread(letter(said) ?? missing(name, answer.status));
    },
  };
}

interface Line<T> {
  share?: number;
  answer?: T;
  error?: string;
}

/** Posts questions there, and reads the answers line by line. */
function asker(root: string): Ask {
  return async <T>(kind: string, question: object, told: (share: number) => void, until: AbortSignal) => {
    const answer = await fetch(`${root}${kind}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(question),
      credentials: "omit",
      signal: until,
    });
    if (!answer.ok || answer.body === null) {
      throw new Unread(letter(await answer.text()) ?? `The host does not answer questions: it says ${answer.status}.`);
    }
    for await (const text of lines(answer.body)) {
      const line = JSON.parse(text) as Line<T>;
      if (line.error !== undefined) throw new Unread(line.error);
      if (line.answer !== undefined) return line.answer;
      told(line.share ?? 0);
    }
    throw new Unread("The answer was cut short: was `nissl view` ended?");
  };
}

/** The sentence that nissl's server sends where it refuses. */
function letter(said: string): string | null {
  try {
    const found: unknown = (JSON.parse(said) as { error?: unknown }).error;
    return typeof found === "string" ? found : null;
  } catch {
    return null;
  }
}

/** Files written into the page, as base64; null where there are none. */
export function within(page: Document): Source | null {
  const found = new Map<string, HTMLScriptElement>();
  for (const script of page.querySelectorAll<HTMLScriptElement>('script[type="application/x-nissl"]')) {
    found.set(script.dataset.name ?? "", script);
  }
  if (found.size === 0) return null;
  return {
    live: false,
    async get(name) {
      const text = found.get(name)?.textContent;
      if (text == null) throw new Unread(`This report holds no ${name}: it may have been cut short. Write it anew.`);
      try {
        return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      } catch {
        throw new Unread(`What this report holds as ${name} was changed after it was written. Write it anew.`);
      }
    },
  };
}
