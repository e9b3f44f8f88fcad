/** Where the page stands: in a window of its own, or in a cell of a notebook beside others. */

export interface Host {
  /** Wears the lamp; styles hang on it. */
  readonly root: HTMLElement;
  /** The address that was given from outside, as #/e30/... */
  readonly address: string;
  /** Show the address of what is seen; where no link leads to, as in a notebook, `link` is null. */
  write(hash: string, title: string): void;
  readonly link: string | null;
  /** Whoever gives another address, and whoever presses a key that is meant for this page; gives back how to stop. */
  moved(told: (hash: string) => void): () => void;
  keyed(told: (event: KeyboardEvent) => boolean): () => void;
}

export function own(): Host {
  return {
    root: document.documentElement,
    get address() {
      return location.hash;
    },
    get link() {
      return location.href;
    },
    write(hash, title) {
      document.title = title;
      if (hash !== location.hash) history.replaceState(history.state, "", hash);
    },
    moved: (told) => listened(window, "hashchange", () => told(location.hash)),
    keyed: (told) =>
      listened(window, "keydown", (event) => {
        if (told(event as KeyboardEvent)) event.preventDefault();
      }),
  };
}

export function listened(at: EventTarget, name: string, told: (event: Event) => void): () => void {
  at.addEventListener(name, told);
  return () => at.removeEventListener(name, told);
}
