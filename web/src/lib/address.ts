/** The address of what is looked at: #/e30/hidden_1/n20?stain=3,8&vs=e12 is trace["e30/hidden_1/n20"], 3 and 8 stained, beside epoch 12. */

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
}

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
};

export function parse(hash: string): Address {
  const [path = "", query = ""] = split(hash.replace(/^#\/?/, ""), "?");
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  const found: Address = { ...NOWHERE };
  const epoch = /^e_?(\d+)$/i.exec(parts[0] ?? "");
  if (epoch) {
    found.epoch = Number(epoch[1]);
    found.layer = parts[1]?.replace(/^L_/, "") ?? null;
    const unit = /^n_?(\d+)$/i.exec(parts[2] ?? "");
    if (unit && found.layer !== null) found.unit = Number(unit[1]);
  }
  for (const pair of query.split("&")) {
    const [name = "", value = ""] = split(pair, "=");
    if (name === "stain") found.stains = value === "" ? [] : value.split(",").map(decoded);
    const view = VIEWS.find((one) => one === value);
    if (name === "view" && view !== undefined) found.view = view;
    if (name === "dye" && (value === "causal" || value === "contrast")) found.dye = value;
    if (name === "dye" && value.startsWith(SAVED)) found.dye = `${SAVED}${decoded(value.slice(SAVED.length))}`;
    const beside = /^e_?(\d+)$/i.exec(value);
    if ((name === "vs" || name === "mark") && beside) found.versus = Number(beside[1]);
    if (name === "vs" && beside) found.compared = true;
    const other = /^run:e_?(\d+)$/i.exec(value);
    if (name === "vs" && other) found.other = Number(other[1]);
    if (name === "sample" && /^\d+$/.test(value)) found.sample = Number(value);
    if (name === "target" && value !== "") found.target = value.split("-").map(decoded).slice(0, 2);
    if (name === "lamp" && (value === "bright" || value === "dark")) found.lamp = value;
  }
  return found;
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
  if (at.target !== null) said.push(`target=${at.target.map((name) => plain(name).replace(/-/g, "%2D")).join("-")}`);
  if (at.dye !== null)
    said.push(`dye=${at.dye.startsWith(SAVED) ? SAVED + plain(at.dye.slice(SAVED.length)) : at.dye}`);
  if (at.lamp !== null) said.push(`lamp=${at.lamp}`);
  return said.length > 0 ? `${path}?${said.join("&")}` : path;
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
