/** Bytes of the run's files as typed arrays; no copy is made of what is aligned. */

import type { Bundle, Cells, Paths, Recorded, Table } from "./types";

interface Listed {
  name: string;
  type: string;
  shape: number[];
  at: number;
}

export type Numbers = Int16Array | Uint8Array | Uint16Array | Uint32Array | Float32Array;
export type Arrays = Map<string, Numbers>;

const KINDS: Record<string, new (b: ArrayBuffer, at: number, n: number) => Numbers> = {
  float32: Float32Array,
  int16: Int16Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};

/** What gzip packed. */
export async function gunzip(data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  if (data[0] !== 0x1f || data[1] !== 0x8b) throw new Error("it is not what nissl wrote");
  const stream = new Response(data).body?.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** The head and the arrays of one file. */
export function unpack(whole: ArrayBuffer): { head: Record<string, unknown>; arrays: Arrays } {
  const length = new DataView(whole).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, length))) as Record<string, unknown>;
  const arrays: Arrays = new Map();
  for (const { name, type, shape, at } of head.arrays as Listed[]) {
    const kind = KINDS[type];
    if (kind === undefined) throw new Error(`it holds numbers of an unknown kind, ${type}`);
    arrays.set(
      name,
      new kind(
        whole,
        4 + length + at,
        shape.reduce((a, b) => a * b, 1),
      ),
    );
  }
  return { head, arrays };
}

export function cells(whole: ArrayBuffer, layers: number): Cells {
  const { head, arrays } = unpack(whole);
  const tables: Cells["tables"] = Array.from({ length: layers }, () => ({}));
  const shapes = new Map((head.arrays as Listed[]).map((one) => [one.name, one.shape]));
  for (const [name, said] of Object.entries(head.tables as Record<string, { most: number; full: number }>)) {
    const [place, dye] = name.split(".") as [string, Recorded];
    const [classes = 0, count = 0] = shapes.get(name) ?? [];
    const table: Table = { steps: arrays.get(name) as Int16Array, classes, cells: count, ...said };
    const layer = tables[Number(place)];
    if (layer !== undefined) layer[dye] = table;
  }
  return {
    epoch: head.epoch as number,
    tables,
    right: head.right as (number | null)[],
    judged: head.judged as number,
    mistakes: head.mistakes as [number, number, number][],
    confusion: (arrays.get("confusion") as Uint32Array | undefined) ?? null,
    wrong: (head.wrong as number | undefined) ?? 0,
    kinds: (head.kinds as number | undefined) ?? 0,
    among: (head.among as number[] | undefined) ?? [],
    each: (head.each as number[] | undefined) ?? [],
    confused: (arrays.get("confused") as Uint32Array | undefined) ?? null,
  };
}

export function paths(whole: ArrayBuffer): Paths {
  const { head, arrays } = unpack(whole);
  let at = 0;
  const bundles = (head.bundles as Omit<Bundle, "at">[]).map((one) => {
    const placed = { ...one, at };
    at += one.count;
    return placed;
  });
  return {
    bundles,
    start: arrays.get("start") as Uint16Array,
    end: arrays.get("end") as Uint16Array,
    strength: arrays.get("strength") as Int16Array,
    absent: head.absent as string,
  };
}
