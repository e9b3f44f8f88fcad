/** Everything by the keyboard. */

import { VIEWS } from "./address";
import { after, dyesOf } from "./dyeing";
import type { Microscope } from "./microscope.svelte";
import { ordered } from "./rack";

export const SHEET: [string, string][] = [
  ["← →", "one epoch back, on"],
  ["⇧ ← →", "ten epochs"],
  ["Home End", "first, last epoch"],
  ["space", "play, pause"],
  ["L", "play in a loop"],
  ["F", "follow a run that is being recorded, or no longer"],
  ["0 – 9", "stain a class, or not"],
  ["\\", "stain all, or none"],
  ["[ ]", "a layer to the left, right"],
  [", .", "the cell before, after"],
  ["V", "the next view"],
  ["X", "brush the cell, or no longer: to cut several at once"],
  ["Enter Esc", "into the cell, and out of it"],
  ["N P", "in Samples: the next example, the one before"],
  ["G", "in Projector: drag a lasso, or move the picture"],
  ["+ −", "in Projector and Graph: nearer, farther"],
  ["A", "mark this epoch, to compare with"],
  ["B C", "how this one differs from it; not"],
  ["T", "the next dye: what it adds, activity, a saved structure"],
  ["D", "the other lamp"],
  ["/", "find a class, a layer, a unit, an example"],
  ["S", "copy this view's link"],
  ["E", "take this view along: SVG, PNG, CSV, print"],
  ["?", "this sheet"],
];

/** True if the key meant something. */
export function pressed(look: Microscope, event: KeyboardEvent, copy: () => void): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || look.phase !== "ready") return false;
  if (event.target instanceof HTMLElement && typing(event.target, event.key)) return false;
  const far = event.shiftKey ? 10 : 1;
  const does: Record<string, () => void> = {
    ArrowLeft: () => look.step(-far),
    ArrowRight: () => look.step(far),
    Home: () => look.to(0),
    End: () => look.to(Infinity),
    " ": () => (look.playing = !look.playing),
    l: () => (look.looping = !look.looping),
    f: () => look.follow(),
    "\\": () => (look.stains = look.stains.length > 0 ? [] : (look.index?.stains ?? [])),
    "[": () => walk(look, -1),
    "]": () => walk(look, 1),
    ",": () => stroll(look, -1),
    ".": () => stroll(look, 1),
    v: () => (look.view = VIEWS[(VIEWS.indexOf(look.view) + 1) % VIEWS.length] ?? "pathways"),
    Enter: () => look.picked !== null && (look.view = "neuron"),
    Escape: () => up(look),
    x: () => look.picked !== null && void look.brushing.toggle(look.picked),
    a: () => look.mark(),
    b: () => look.change(true),
    c: () => look.change(),
    t: () => void look.use(after(look)),
    d: () => (look.lamp = look.lamp === "bright" ? "dark" : "bright"),
    s: copy,
    e: () => (look.asking = "export"),
    "/": () => (look.asking = "find"),
    "?": () => (look.sheet = !look.sheet),
  };
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[0-9]$/.test(key)) {
    if (Number(key) >= (look.index?.classes.length ?? 0)) return false;
    look.toggle(Number(key));
    return true;
  }
  if (key === "t" && dyesOf(look).length < 2) return false;
  const deed = does[key];
  deed?.();
  return deed !== undefined;
}

/** Does this key belong to what has the focus? */
function typing(target: HTMLElement, key: string): boolean {
  if (target instanceof HTMLInputElement)
    return target.type !== "range" || !["Escape", " ", "?", "/", "d", "e", "f", "s", "l", "t", "v", "x"].includes(key);
  return target instanceof HTMLButtonElement && (key === " " || key === "Enter");
}

/** Out of what one is in: the sheet, another view, the cell. */
function up(look: Microscope): void {
  if (look.sheet) look.sheet = false;
  else if (look.view === "samples" && look.sample !== null) look.sample = null;
  else if (look.view !== "pathways") look.view = "pathways";
  else look.pick(null);
}

function walk(look: Microscope, by: number): void {
  const count = look.index?.layers.length ?? 0;
  if (count === 0) return;
  const slide = look.picked === null ? (by > 0 ? 0 : count - 1) : (look.picked.slide + by + count) % count;
  look.pick({ slide, cell: order(look, slide)[0] ?? 0 });
}

function stroll(look: Microscope, by: number): void {
  if (look.picked === null) return walk(look, 1);
  const { slide, cell } = look.picked;
  const cells = order(look, slide);
  look.pick({ slide, cell: cells[(cells.indexOf(cell) + by + cells.length) % cells.length] ?? 0 });
}

function order(look: Microscope, slide: number): number[] {
  return ordered(look.layer(slide), look.dyeHere);
}
