/** A run made up for tests: files as nissl packs them. */

import { gzipSync } from "node:zlib";
import type { Source } from "../src/lib/source";
import { Unread } from "../src/lib/source";
import type { Bundle, DyeName, Index, LayerInfo, Paths, Table, Told } from "../src/lib/types";

type Numbers = Int16Array | Uint16Array | Uint32Array;

export function packed(
  said: object,
  arrays: Record<string, { data: Numbers; shape: number[] }>,
): Uint8Array<ArrayBuffer> {
  let at = 0;
  const listed = Object.entries(arrays).map(([name, { data, shape }]) => {
    const one = { name, type: data.constructor.name.replace("Array", "").toLowerCase(), shape, at };
    at += Math.ceil(data.byteLength / 4) * 4;
    return one;
  });
  let head = JSON.stringify({ ...said, arrays: listed });
  head += " ".repeat((4 - (head.length % 4)) % 4);
  const whole = new Uint8Array(4 + head.length + at);
  new DataView(whole.buffer).setUint32(0, head.length, true);
  whole.set(new TextEncoder().encode(head), 4);
  Object.values(arrays).forEach(({ data }, i) => {
    whole.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 4 + head.length + (listed[i]?.at ?? 0));
  });
  return new Uint8Array(gzipSync(whole));
}

/** A table (class, cell) of these values. */
export function tabled(rows: number[][], full = 1): Table {
  const flat = rows.flat();
  const most = Math.max(...flat.filter(Number.isFinite).map(Math.abs)) || 1;
  const steps = Int16Array.from(flat, (v) => (Number.isNaN(v) ? -32768 : Math.round((v / most) * 32767)));
  return { steps, classes: rows.length, cells: rows[0]?.length ?? 0, most, full };
}

export function layer(name: string, cells: number): LayerInfo {
  const order = Array.from({ length: cells }, (_, i) => cells - 1 - i);
  return {
    name,
    kind: "dense",
    bends: "ReLU",
    unit: "neuron",
    units: cells,
    cells,
    followed: true,
    orders: { contrast: order, causal: order },
  };
}

/** Paths of bundles, each [source, target, class, [[start, end, strength], ...]]. */
export function pathsOf(...bundles: [number, number, number, [number, number, number][]][]): Paths {
  let at = 0;
  const listed: Bundle[] = bundles.map(([source, target, number, found]) => {
    const one = { source, target, class: number, at, count: found.length, total: 10 * found.length };
    at += found.length;
    return one;
  });
  const every = bundles.flatMap((one) => one[3]);
  return {
    bundles: listed,
    start: Uint16Array.from(every, (one) => one[0]),
    end: Uint16Array.from(every, (one) => one[1]),
    strength: Int16Array.from(every, (one) => one[2] * 32767),
    absent: "",
  };
}

export class Planted implements Source {
  live = true;
  epochs = [0, 1, 2, 5];
  causal = [1, 2, 5];
  closed = true;
  refused: string | undefined;
  classes = ["cat", "dog", "3"];
  failing: string | null = null;
  /** Names of saved structures: the first is of dog, others of no single class; of the first layer alone. */
  saved: string[] = [];
  examples: number | null = null;
  readonly asked: string[] = [];

  get(name: string, stamp: string): Promise<Uint8Array<ArrayBuffer>> {
    this.asked.push(`${name}?${stamp}`);
    if (this.failing !== null && name.startsWith(this.failing)) return Promise.reject(new Unread("it is gone"));
    if (name === "index.json") return Promise.resolve(new TextEncoder().encode(JSON.stringify(this.index())));
    if (name.startsWith("structures/dye.")) return Promise.resolve(this.dye(Number(name.split(".")[1])));
    const [, kind = "", epoch = ""] = /^(\w+)\/(\d+)/.exec(name) ?? [];
    const dye = name.split(".")[1] as DyeName;
    return Promise.resolve(kind === "cells" ? this.cells(Number(epoch)) : this.paths(Number(epoch), dye));
  }

  index(): Index {
    return {
      format: 1,
      name: "planted",
      closed: this.closed,
      epochs: this.epochs,
      classes: this.classes,
      damaged: {},
      scalars: { loss: this.epochs.map((e) => 1 / (1 + e)) },
      layers: [layer("L_first", 6), layer("second/b", 4)],
      ends: true,
      every: 3,
      stains: [0, 1, 2],
      ribbons: 900,
      dyes: [
        { name: "causal", epochs: this.causal, source: "300 probe examples" },
        { name: "contrast", epochs: this.epochs, source: "the held-out probe" },
      ],
      parts: {
        structures: { by: [], saved: this.saved } as Told,
        ...(this.examples === null ? {} : { answers: { count: this.examples } as Told }),
      },
      ...(this.refused === undefined ? {} : { refused: this.refused }),
    };
  }

  private dye(place: number): Uint8Array<ArrayBuffer> {
    const [target, number] = place === 0 ? ["dog", 1] : ["backbone", -1];
    const data = Int16Array.from([32767, -9000, 0, 8000, 0, 0]);
    return packed(
      { target, class: number, causal: true, count: 2, recipe: { by: "secant" }, tables: { 0: { most: 2, full: 2 } } },
      { 0: { data, shape: [1, 6] } },
    );
  }

  private cells(epoch: number): Uint8Array<ArrayBuffer> {
    const arrays: Record<string, { data: Numbers; shape: number[] }> = {};
    const tables: Record<string, { most: number; full: number }> = {};
    for (const dye of this.causal.includes(epoch) ? ["contrast", "causal"] : ["contrast"]) {
      [6, 4].forEach((count, place) => {
        arrays[`${place}.${dye}`] = { data: new Int16Array(3 * count).fill(100 * (epoch + 1)), shape: [3, count] };
        tables[`${place}.${dye}`] = { most: 2, full: 1 };
      });
    }
    return packed({ epoch, tables, right: [1, 0.5, null], judged: 12, mistakes: [[0, 1, 3]] }, arrays);
  }

  private paths(epoch: number, dye: DyeName): Uint8Array<ArrayBuffer> {
    const bundles = [
      { source: 0, target: 1, class: 0, count: 2, total: 24 },
      { source: 1, target: -1, class: 0, count: 1, total: 4 },
    ];
    const short = (values: number[]): { data: Numbers; shape: number[] } => ({
      data: Uint16Array.from(values),
      shape: [3],
    });
    return packed(
      { epoch, dye, bundles, absent: "" },
      {
        start: short([1, 2, 3]),
        end: short([0, 3, 0]),
        strength: { data: Int16Array.from([32767, -3000, 20000]), shape: [3] },
      },
    );
  }
}
