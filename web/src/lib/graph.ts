/** What the network is made of: nodes and edges as nissl laid them out, and how much of each layer is whose. */

import type { Lamp } from "./address";
import { unpack } from "./unpack";

export interface Node {
  id: number;
  path: string;
  type: string;
  role: string;
  shape: (number | null)[] | null;
  params: number;
  parent: number | null;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Graph {
  name: string;
  params: number;
  width: number;
  height: number;
  nodes: Node[];
  edges: { source: number; target: number; points: [number, number][] }[];
  /** How many nodes there are when all blocks are open, and how many levels. */
  every: number;
  depth: number;
  /** Blocks that are shown as one node each. */
  closed: number[];
  /** Of each node, the recorded layers that it is or holds; of each layer, its multiplications for an example. */
  layers: Record<string, string[]>;
  work: Record<string, number | null>;
  /** What is written on a junction of each kind. */
  signs: Record<string, string>;
}

export function graph(whole: ArrayBuffer): Graph {
  return unpack(whole).head as unknown as Graph;
}

/** (layer, class) by dye: what is a class's own, in parts of full depth. */
export interface Owned {
  epoch: number;
  layers: string[];
  tables: Map<string, Float32Array>;
}

export function owned(whole: ArrayBuffer): Owned {
  const { head, arrays } = unpack(whole);
  return { epoch: head.epoch as number, layers: head.layers as string[], tables: arrays as Map<string, Float32Array> };
}

/** Of some layers together, how much is each chosen class's own: the mean over them. */
export function share(found: Owned, table: Float32Array, names: string[], chosen: number[]): number[] {
  const rows = names.map((name) => found.layers.indexOf(name)).filter((row) => row >= 0);
  const classes = found.layers.length > 0 ? table.length / found.layers.length : 0;
  return chosen.map(
    (k) => rows.reduce((sum, row) => sum + (table[row * classes + k] ?? 0), 0) / Math.max(1, rows.length),
  );
}

/** What is written where several meet. */
export function sign(shown: Graph, node: Node): string {
  return shown.signs[node.type] ?? node.type;
}

/** How they meet, and which. */
export function meeting(shown: Graph, node: Node): string {
  const from = new Set(shown.edges.filter((one) => one.target === node.id).map((one) => one.source));
  const names = shown.nodes.filter((one) => from.has(one.id));
  const said = names.map((one) => (one.role === "junction" ? "what met before" : one.path)).join(", ");
  return HOW[node.type]?.replace("…", said) ?? `${said} go into one: ${node.type}.`;
}

const HOW: Record<string, string> = {
  add: "… are added.",
  subtract: "One of … is taken from the other.",
  multiply: "… are multiplied, unit by unit.",
  concatenate: "… are put side by side (concatenated).",
  meet: "… reach the same layers together; whether they are added, put side by side or else was not recorded.",
};

/** What is written on a node: its name within what is around it. */
export function label(node: Node, around: Node | undefined): string {
  const within = around
    ? node.path.replace(new RegExp(`^${around.path.replace(/#\d+$/, "").replace(/[^\w]/g, "\\$&")}\\.`), "")
    : node.path;
  return within === "" ? node.type : within;
}

export function size(node: Node): string {
  const shape = node.shape === null ? "" : node.shape.map((n) => n ?? "?").join(" × ") || "scalar";
  return [shape, node.params > 0 && node.role !== "parameter" ? node.params.toLocaleString("en-US") : ""]
    .filter(Boolean)
    .join("  ·  ");
}

export function line(points: [number, number][]): string {
  return points
    .map(([x, y], i) => {
      const before = points[i - 1];
      if (before === undefined) return `M${x} ${y}`;
      const middle = (before[1] + y) / 2;
      return before[0] === x || before[1] === y ? `L${x} ${y}` : `C${before[0]} ${middle} ${x} ${middle} ${x} ${y}`;
    })
    .join("");
}

export function fold(closed: number[]): string {
  return `f${[...closed].sort((a, b) => a - b).join("-")}`;
}

/** Is a tint so deep that letters on it are to be light? */
export function deep(colour: string, lamp: Lamp): boolean {
  if (!colour.startsWith("#")) return false;
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)) as [number, number, number];
  const light = 0.3 * r + 0.59 * g + 0.11 * b;
  return lamp === "bright" ? light < 120 : light > 125;
}
