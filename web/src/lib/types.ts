/** What the page reads of a run, as docs/design/viewer.md describes it. */

/** The dyes that were recorded. */
export type Recorded = "causal" | "contrast";
/** What cells can be dyed by: also by a structure that somebody saved. */
export type DyeName = Recorded | "structure";

export interface LayerInfo {
  name: string;
  kind: string;
  bends: string | null;
  unit: string;
  units: number;
  cells: number;
  /** Was attribution recorded of it? If not, it is dyed by activity beside those of which it was. */
  followed: boolean;
  orders: Partial<Record<DyeName, number[]>>;
  /** Of a layer that has more units than cells: each cell's first unit, and how many it stands for. */
  first?: number[];
  counts?: number[];
}

export interface DyeInfo {
  name: Recorded;
  epochs: number[];
  source: string;
}

export interface Index {
  format: number;
  name: string;
  model?: string | null;
  closed: boolean;
  /** Does whoever hands out the files tell when there are more? */
  live?: boolean;
  epochs: number[];
  classes: string[];
  damaged: Record<string, string>;
  scalars: Record<string, (number | null)[]>;
  refused?: string;
  layers?: LayerInfo[];
  ends?: boolean;
  every?: number;
  dyes?: DyeInfo[];
  stains?: number[];
  ribbons?: number;
  /** Can the network itself be asked? */
  alive?: boolean;
  /** What each kind of file says of itself; `absent` where there is nothing to show, and why. */
  parts?: Record<string, Told>;
}

/** What the index says of one kind of files; its view knows the rest. */
export interface Told {
  absent?: string;
}

/** An index of a run that has something to show. */
export type Shown = Required<Omit<Index, "refused" | "model" | "live">> & Pick<Index, "model" | "live">;

/** Whole steps of an evenly divided range, (class, cell); NEVER stands for not-a-number. */
export interface Table {
  steps: Int16Array;
  classes: number;
  cells: number;
  /** The value of the last step, and the one that counts as full at every epoch. */
  most: number;
  full: number;
}

export interface Cells {
  epoch: number;
  /** By the layer's place, what was recorded for each dye. */
  tables: Partial<Record<DyeName, Table>>[];
  right: (number | null)[];
  judged: number;
  mistakes: [number, number, number][];
  confusion: Uint32Array | null;
  /** How many answers were wrong, and how many different mistakes they are. */
  wrong: number;
  kinds: number;
  /** Of many classes: those of the commonest mistakes, how many examples each has, and who of them was taken for whom. */
  among: number[];
  each: number[];
  confused: Uint32Array | null;
}

export interface Bundle {
  source: number;
  /** A layer's place, or -1: the outputs of its class. */
  target: number;
  class: number;
  at: number;
  count: number;
  total: number;
}

export interface Paths {
  bundles: Bundle[];
  start: Uint16Array;
  end: Uint16Array;
  /** 32767 is the strongest of its bundle at the last epoch; negative: it lowers the output. */
  strength: Int16Array;
  absent: string;
}

/** What is there of the epoch that is compared with. */
export interface Then {
  epoch: number;
  cells: Cells;
  paths: Paths;
}

export const NEVER = -32768;
export const MOST = 32767;
