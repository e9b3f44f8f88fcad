/** The page as a widget of a notebook: what it reads comes as messages from the kernel, and its address is the widget's `at`. */

import { listened, type Host } from "./host";
import { Unread, type Source } from "./source";

/** What anywidget gives a widget of its Python side. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, told: (...args: never[]) => void): void;
  off(event: string, told: (...args: never[]) => void): void;
  send(content: unknown): void;
}

/** What the kernel sends back. */
interface Told {
  id?: string;
  error?: string;
  share?: number;
  answer?: unknown;
}

interface Waiting {
  /** Gives what was waited for, and whether that is all. */
  heard(told: Told, view: DataView | undefined): boolean;
  failed(error: Unread): void;
}

/** By messages: {id, name} there, {id} with a file's bytes back; {id, kind, question} there, {id, share} ..., {id, answer} back; or {id, error}. */
export function kernel(model: Model): Source & { end(): void } {
  const waiting = new Map<string, Waiting>();
  const heard = (told: Told, buffers: DataView[]): void => {
    const asked = waiting.get(told.id ?? "");
    if (told.id === undefined || asked === undefined) return; // another view of the same widget asked, or nobody waits any more
    if (told.error !== undefined) asked.failed(new Unread(told.error));
    else if (!asked.heard(told, buffers[0])) return;
    waiting.delete(told.id);
  };
  const send = (words: object, wait: Waiting): string => {
    const id = `${Date.now()}.${Math.random()}`;
    waiting.set(id, wait);
    model.send({ id, ...words });
    return id;
  };
  model.on("msg:custom", heard as never);
  return {
    live: true,
    typed: "nissl.view(trace, model=net, data=(x, y))",
    get: (name) =>
      new Promise((done, failed) => {
        send(
          { name },
          {
            failed,
            heard(_, view) {
              if (view === undefined) failed(new Unread("The kernel sent nothing."));
              else done(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice());
              return true;
            },
          },
        );
      }),
    ask: <T>(kind: string, question: object, share: (done: number) => void, until: AbortSignal) =>
      new Promise<T>((done, failed) => {
        const id = send(
          { kind, question },
          {
            failed,
            heard(told) {
              if (told.answer === undefined) share(told.share ?? 0);
              else done(told.answer as T);
              return told.answer !== undefined;
            },
          },
        );
        until.addEventListener("abort", () => {
          waiting.delete(id);
          failed(new Unread("Nobody waits for this answer any more."));
        });
      }),
    end: () => model.off("msg:custom", heard as never),
  };
}

/** Page styles as they hold within a widget: the page is the element, and its width and height are the element's. */
export function scoped(style: string): string {
  return style
    .replace(/:root(\[[^\]]*\])/g, ":host($1)")
    .replace(/:root\b/g, ":host")
    .replace(/(^|[},])(?:html|body)(?=[,{])/g, "$1:host")
    .replace(/@media *(\([^)]*width[^)]*\)) *\{/g, "@container page $1{")
    .replace(/([\d.]+)vh\b/g, "calc($1*var(--high))");
}

const FRAME = `
:host { display: block; container: page / inline-size; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
#nissl { position: relative; height: 100%; outline: none; overflow: hidden; }
.toast { position: absolute !important; }
`;

/** An element apart, in which neither side's styles reach the other's; and the page's place in it. */
export function framed(el: HTMLElement, model: Model, style: string): { host: Host; target: HTMLElement } {
  const root = document.createElement("div");
  const height = Number(model.get("height")) || 680;
  root.style.height = `${height}px`;
  root.style.setProperty("--high", `${height / 100}px`);
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab leaves keys that are pressed here to the page
  const shadow = root.attachShadow({ mode: "open" });
  const target = document.createElement("div");
  target.id = "nissl";
  target.tabIndex = 0;
  const sheet = document.createElement("style");
  sheet.textContent = scoped(style) + FRAME;
  shadow.append(sheet, target);
  el.replaceChildren(root);
  const at = (): string => `#/${String(model.get("at") ?? "").replace(/^#?\/?/, "")}`;
  const host: Host = {
    root,
    link: null,
    get address() {
      return at();
    },
    write(hash) {
      if (hash === at()) return;
      model.set("at", hash.replace(/^#\//, ""));
      model.save_changes();
    },
    moved(told) {
      const changed = (): void => told(at());
      model.on("change:at", changed);
      return () => model.off("change:at", changed);
    },
    keyed: (told) =>
      listened(target, "keydown", (event) => {
        if (!told(event as KeyboardEvent)) return;
        event.preventDefault();
        event.stopPropagation();
      }),
  };
  return { host, target };
}
