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

interface Answer {
  id?: string;
  error?: string;
}

/** Files by messages: {id, name} there, {id} with the bytes, or {id, error}, back. */
export function kernel(model: Model): Source & { end(): void } {
  const waiting = new Map<string, { done: (data: Uint8Array<ArrayBuffer>) => void; failed: (error: Unread) => void }>();
  const heard = ({ id, error }: Answer, buffers: DataView[]): void => {
    const asked = waiting.get(id ?? "");
    if (id === undefined || asked === undefined) return; // another view of the same widget asked
    waiting.delete(id);
    const view = buffers[0];
    if (error !== undefined || view === undefined) asked.failed(new Unread(error ?? "The kernel sent nothing."));
    else asked.done(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice());
  };
  model.on("msg:custom", heard as never);
  return {
    live: true,
    get: (name) =>
      new Promise((done, failed) => {
        const id = `${Date.now()}.${Math.random()}`;
        waiting.set(id, { done, failed });
        model.send({ id, name });
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
