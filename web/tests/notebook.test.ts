import { describe, expect, it } from "vitest";
import { framed, kernel, scoped, type Model } from "../src/lib/notebook";

class Kernel implements Model {
  sent: { id: string; name: string }[] = [];
  values: Record<string, unknown> = { at: "e2?stain=3", height: 400 };
  saved = 0;
  private readonly told = new Map<string, Set<(...args: never[]) => void>>();

  get = (name: string): unknown => this.values[name];
  set = (name: string, value: unknown): void => void (this.values[name] = value);
  save_changes = (): void => void (this.saved += 1);
  on = (event: string, told: (...args: never[]) => void): void => {
    this.told.set(event, (this.told.get(event) ?? new Set()).add(told));
  };
  off = (event: string, told: (...args: never[]) => void): void => void this.told.get(event)?.delete(told);
  send = (content: unknown): void => void this.sent.push(content as { id: string; name: string });
  tell(event: string, ...args: unknown[]): void {
    for (const told of this.told.get(event) ?? []) told(...(args as never[]));
  }
  get listeners(): number {
    return [...this.told.values()].reduce((sum, one) => sum + one.size, 0);
  }
}

describe("a widget", () => {
  it("has its files by messages, each answer to whom it is for", async () => {
    const model = new Kernel();
    const source = kernel(model);
    const [first, second] = [source.get("cells/1.bin", ""), source.get("cells/9.bin", "")];
    const [one, two] = model.sent;
    expect([one?.name, two?.name]).toEqual(["cells/1.bin", "cells/9.bin"]);
    model.tell("msg:custom", { id: "somebody else" }, []);
    model.tell("msg:custom", { id: two?.id, error: "Epoch 9 is not in the trace." }, []);
    const held = new Uint8Array([9, 1, 2, 3, 9]);
    model.tell("msg:custom", { id: one?.id }, [new DataView(held.buffer, 1, 3)]);
    expect([...(await first)]).toEqual([1, 2, 3]);
    await expect(second).rejects.toThrow("Epoch 9 is not in the trace.");
    source.end();
    expect(model.listeners).toBe(0);
  });

  it("asks the network by messages, hears how far it is, and an answer that nobody waits for is dropped", async () => {
    const model = new Kernel();
    const source = kernel(model);
    const [here, gone] = [new AbortController(), new AbortController()];
    const shares: number[] = [];
    const first = source.ask?.<{ right: number }>("accuracy", { edits: [] }, (one) => shares.push(one), here.signal);
    const second = source.ask?.("verify", {}, () => shares.push(-1), gone.signal);
    const third = source.ask?.("sorcery", {}, () => shares.push(-1), here.signal);
    const [one, two, three] = model.sent;
    expect(one).toMatchObject({ kind: "accuracy", question: { edits: [] } });
    gone.abort();
    await expect(second).rejects.toThrow("Nobody waits");
    for (const id of [one?.id, two?.id]) {
      model.tell("msg:custom", { id, share: 0.5 }, []);
      model.tell("msg:custom", { id, answer: { right: 7 } }, []);
      model.tell("msg:custom", { id, answer: { right: 8 } }, []);
    }
    model.tell("msg:custom", { id: three?.id, error: "Nobody answers 'sorcery'." }, []);
    expect(await first).toEqual({ right: 7 });
    await expect(third).rejects.toThrow("sorcery");
    expect(shares).toEqual([0.5]);
  });

  it("is at the address that Python gave, and tells Python where it went", () => {
    const model = new Kernel();
    const { host, target } = framed(document.createElement("div"), model, "");
    expect(host.address).toBe("#/e2?stain=3");
    host.write("#/e2?stain=3", "");
    expect(model.saved).toBe(0);
    host.write("#/e5?stain=3", "");
    expect([model.values.at, model.saved]).toEqual(["e5?stain=3", 1]);
    const seen: string[] = [];
    const stop = host.moved((hash) => seen.push(hash));
    model.values.at = "#/e1";
    model.tell("change:at");
    stop();
    model.tell("change:at");
    expect(seen).toEqual(["#/e1"]);
    let outside = 0;
    target.ownerDocument.body.append(host.root);
    document.body.addEventListener("keydown", () => (outside += 1));
    host.keyed((event) => event.key === "d");
    for (const key of ["d", "j"])
      target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
    expect(outside).toBe(1); // a key that the page knows is not the notebook's too
  });

  it("keeps its styles to itself", () => {
    expect(scoped(":root{--a:1}:root[data-lamp=dark]{--a:2}")).toBe(":host{--a:1}:host([data-lamp=dark]){--a:2}");
    expect(scoped("html,body{margin:0}body{color:red}.body{x:y}")).toBe(
      ":host,:host{margin:0}:host{color:red}.body{x:y}",
    );
    expect(scoped("@media (width<=760px){a{height:62vh}}@media print{b{c:d}}")).toBe(
      "@container page (width<=760px){a{height:calc(62*var(--high))}}@media print{b{c:d}}",
    );
  });
});
