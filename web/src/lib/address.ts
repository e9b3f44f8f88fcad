/** The address of what is looked at: #/e30/hidden_1/n20?stain=3,8&vs=e12 is trace["e30/hidden_1/n20"], 3 and 8 stained, beside epoch 12. */

import type { Brush } from "./brushing.svelte";
import { sorted } from "./homes";
import { ranged, unranged } from "./ranges";
import type { Recorded } from "./types";

export type Lamp = "bright" | "dark";

export const VIEWS = [
  "pathways",
  "layers",
  "neuron",
  "samples",
  "confusion",
  "projector",
  "structures",
  "maps",
  "graph",
  "run",
] as const;
export type View = (typeof VIEWS)[number];

/** What a saved structure's name is written behind. */
export const SAVED = "saved:";

export interface Address {
  view: View | null;
  epoch: number | null;
  layer: string | null;
  unit: number | null;
  /** Names of classes; null: those that the page chooses. */
  stains: string[] | null;
  /** One that was recorded, or a saved structure by its name. */
  dye: Recorded | `${typeof SAVED}${string}` | null;
  lamp: Lamp | null;
  /** The epoch that is marked to be compared with, and whether the difference is what is looked at: vs=e12, or mark=e12. */
  versus: number | null;
  compared: boolean;
  /** The epoch of another run that stays beside every epoch of this one: vs=run:e12. */
  other: number | null;
  /** The probe's example that is looked at. */
  sample: number | null;
  /** The class whose structure is looked at, or two of them. */
  target: string[] | null;
  /** Units that were brushed, by layer: brush=hidden_1:3-7,12;hidden_2:4. */
  brush: Brush[] | null;
  /** Examples that were gathered, one by one: examples=3,7-9; or those of one class that were taken for another: cell=3-8:e12. */
  examples: number[] | null;
  cell: { is: string; said: string; epoch: number | null } | null;
}

/** What may be said behind the place, and how. */
const SAID: Record<string, string> = {
  view: `a view, ${VIEWS.join(", ")}`,
  stain: "names of classes, 3,8",
  vs: "an epoch, e12, or one of another run, run:e12",
  mark: "an epoch, e12",
  sample: "the number of an example",
  target: "a class, or two, 3-8",
  brush: "units by layer, hidden_1:3-7,12;hidden_2:4",
  examples: "numbers of examples, 3,7-9",
  cell: "what examples are and were taken for, 3-8:e12",
  dye: "causal, contrast or saved:NAME",
  lamp: "bright or dark",
};

export const NOWHERE: Address = {
  view: null,
  epoch: null,
  layer: null,
  unit: null,
  stains: null,
  dye: null,
  lamp: null,
  versus: null,
  compared: false,
  other: null,
  sample: null,
  target: null,
  brush: null,
  examples: null,
  cell: null,
};

export function parse(hash: string): Address {
  return read(hash).at;
}

/** What an address says, and of what in it means nothing, a sentence each. */
export function read(hash: string): { at: Address; wrong: string[] } {
  const [path = "", query = ""] = split(hash.replace(/^#\/?/, ""), "?");
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  const at: Address = { ...NOWHERE };
  const epoch = /^e_?(\d+)$/i.exec(parts[0] ?? "");
  if (epoch) {
    at.epoch = Number(epoch[1]);
    at.layer = parts[1]?.replace(/^L_/, "") ?? null;
    const unit = /^n_?(\d+)$/i.exec(parts[2] ?? "");
    if (unit && at.layer !== null) at.unit = Number(unit[1]);
  }
  const wrong = epoch !== null || parts.length === 0 ? [] : [`${parts[0]} is no epoch: an address begins as e30.`];
  for (const pair of query.split("&").filter((one) => one !== "")) {
    const [name, value] = split(pair, "=");
    const means = Object.hasOwn(SAID, name) ? SAID[name] : undefined;
    if (means === undefined) wrong.push(`An address says nothing of ${name}: it has ${Object.keys(SAID).join(", ")}.`);
    else if (!taken(at, name, value)) wrong.push(`${name}=${value} means nothing here: it is ${means}.`);
  }
  return { at, wrong };
}

/** Take one thing that is said; false where it is not of its kind. */
function taken(at: Address, name: string, value: string): boolean {
  const beside = /^e_?(\d+)$/i.exec(value);
  const other = /^run:e_?(\d+)$/i.exec(value);
  if (name === "stain") at.stains = value === "" ? [] : value.split(",").map(decoded);
  else if (name === "view") at.view = VIEWS.find((one) => one === value) ?? null;
  else if (name === "dye" && value.startsWith(SAVED)) at.dye = `${SAVED}${decoded(value.slice(SAVED.length))}`;
  else if (name === "dye" && (value === "causal" || value === "contrast")) at.dye = value;
  else if ((name === "vs" || name === "mark") && beside) {
    at.versus = Number(beside[1]);
    if (name === "vs") at.compared = true;
  } else if (name === "vs" && other) at.other = Number(other[1]);
  else if (name === "sample" && /^\d+$/.test(value)) at.sample = Number(value);
  else if (name === "target" && value !== "" && value.split("-").length < 3) at.target = value.split("-").map(decoded);
  else if (name === "lamp" && (value === "bright" || value === "dark")) at.lamp = value;
  else if (name === "brush") at.brush = brushes(value);
  else if (name === "examples") at.examples = unranged(value);
  else if (name === "cell") at.cell = cell(value);
  else return false;
  return !(name in at) || at[name as keyof Address] !== null;
}

function brushes(text: string): Brush[] | null {
  const found = text.split(";").map((one) => {
    const [layer, units] = split(one, ":");
    return { layer: decoded(layer), units: sorted(unranged(units) ?? []) };
  });
  const names = new Set(found.map((one) => one.layer));
  return names.size === found.length && found.every((one) => one.layer !== "" && one.units.length > 0) ? found : null;
}

function cell(text: string): Address["cell"] {
  const found = /^([^-:]+)-([^-:]+)(?::e_?(\d+))?$/i.exec(text);
  if (found === null) return null;
  const [, is = "", said = "", epoch] = found;
  return { is: decoded(is), said: decoded(said), epoch: epoch === undefined ? null : Number(epoch) };
}

export function written(at: Address): string {
  let path = "#/";
  if (at.epoch !== null) {
    path += `e${at.epoch}`;
    if (at.layer !== null) path += `/${plain(at.layer)}`;
    if (at.layer !== null && at.unit !== null) path += `/n${at.unit}`;
  }
  const said: string[] = at.view === null ? [] : [`view=${at.view}`];
  if (at.stains !== null) said.push(`stain=${at.stains.map(plain).join(",")}`);
  if (at.versus !== null) said.push(`${at.compared ? "vs" : "mark"}=e${at.versus}`);
  if (at.other !== null) said.push(`vs=run:e${at.other}`);
  if (at.sample !== null) said.push(`sample=${at.sample}`);
  if (at.target !== null) said.push(`target=${at.target.map(dashed).join("-")}`);
  if (at.brush !== null) said.push(`brush=${brushed(at.brush)}`);
  if (at.examples !== null) said.push(`examples=${ranged(at.examples)}`);
  if (at.cell !== null)
    said.push(
      `cell=${dashed(at.cell.is)}-${dashed(at.cell.said)}${at.cell.epoch === null ? "" : `:e${at.cell.epoch}`}`,
    );
  if (at.dye !== null)
    said.push(`dye=${at.dye.startsWith(SAVED) ? SAVED + plain(at.dye.slice(SAVED.length)) : at.dye}`);
  if (at.lamp !== null) said.push(`lamp=${at.lamp}`);
  return said.length > 0 ? `${path}?${said.join("&")}` : path;
}

/** Brushed units, as an address has them. */
export function brushed(all: readonly Brush[]): string {
  return all.map((one) => `${plain(one.layer)}:${ranged(sorted(one.units))}`).join(";");
}

function dashed(name: string): string {
  return plain(name).replace(/-/g, "%2D");
}

/** Percent-encoded, but for what may stand in an address as it is. */
function plain(text: string): string {
  return encodeURIComponent(text).replace(/%20/g, "+");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "));
  } catch {
    return text;
  }
}

function split(text: string, at: string): [string, string] {
  const place = text.indexOf(at);
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place + 1)];
}

/** The lamp that whoever looks is used to. */
export function preferred(): Lamp {
  return typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "bright";
}
