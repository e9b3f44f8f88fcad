/** The numbers behind the views that show other things than what cells hold, as tables to take along. */

import type { Beside, Over } from "./example";
import { share, type Graph, type Owned } from "./graph";
import type { Microscope } from "./microscope.svelte";
import type { Film } from "./points";
import type { Answers } from "./probe";
import type { Chart, Vitals } from "./run";
import { value } from "./stain";
import type { Structure } from "./structures";
import type { Numbers } from "./take";
import type { Topo } from "./topo";
import type { Cells, Recorded } from "./types";

type Row = Numbers["rows"][number];

function called(look: Microscope, number: number | undefined): string | null {
  return number === undefined || number < 0 ? null : (look.index?.classes[number] ?? String(number));
}

/** One unit: what it adds and answers, at every epoch that was read. */
export function neuron(look: Microscope, known: readonly (Cells | null)[]): Numbers {
  const rows: Row[] = [];
  const { picked } = look;
  const [name, unit] = picked === null ? ["", 0] : [look.layer(picked.slide)?.name ?? "", look.unit(picked)];
  const read = known.length > 0 ? known : [look.cells];
  for (const cells of picked === null ? [] : read) {
    for (const dye of ["causal", "contrast"] as Recorded[]) {
      const table = cells?.tables[picked?.slide ?? 0]?.[dye];
      for (let k = 0; table !== undefined && k < table.classes; k++) {
        const said = dye === "causal" ? "adds" : "activity";
        const whose = called(look, k) ?? "all";
        rows.push([cells?.epoch ?? null, name, unit, said, whose, value(table, k, picked?.cell ?? 0)]);
      }
    }
  }
  return { header: ["epoch", "layer", "unit", "what", "class", "value"], rows };
}

/** Examples of a list: what each is, what was said of it, how surely. */
export function samples(look: Microscope, every: number[], known: Int16Array | null, heard: Answers | null): Numbers {
  const part = (of: Uint8Array | null | undefined, i: number): number | null => (of ? (of[i] ?? 0) / 255 : null);
  return {
    header: ["epoch", "example", "is", "said", "p said", "p is"],
    rows: every.map((i) => [
      heard?.epoch ?? look.epoch,
      i,
      called(look, known?.[i]),
      called(look, heard?.said[i]),
      part(heard?.sure, i),
      part(heard?.own, i),
    ]),
  };
}

/** One example: how likely each class was at each epoch, then what units answer it beside what they usually answer. */
export function sample(look: Microscope, which: number, over: Over | null, odd: Beside | null): Numbers {
  const classes = look.index?.classes ?? [];
  const chances = over?.epochs.flatMap((epoch, e) =>
    classes.map((name, k): Row => {
      const p = over.chances ? (over.chances[e * classes.length + k] ?? 0) / 255 : Number(over.said[e] === k);
      return [which, epoch, over.chances ? "probability" : "said", name, p, null];
    }),
  );
  const units = odd?.odd.map((one): Row => [
    which,
    look.epoch,
    "unit",
    `${look.layer(one.slide)?.name} ${look.unit(one)}`,
    one.own,
    one.usual,
  ]);
  return {
    header: ["example", "epoch", "what", "of", "value", "usually"],
    rows: [...(chances ?? []), ...(units ?? [])],
  };
}

/** Where each point lies, what it is and was taken for. */
export function points(look: Microscope, film: Film | null, known: Int16Array | null, heard: Answers | null): Numbers {
  const count = (film?.places.length ?? 0) / 2;
  return {
    header: ["epoch", "layer", "example", "x", "y", "is", "said", "gathered"],
    rows: gathered(look, count).map(([i, chosen]) => [
      film?.epoch ?? null,
      film?.layer ?? null,
      i,
      (film?.places[2 * i] ?? 0) / 65535,
      (film?.places[2 * i + 1] ?? 0) / 65535,
      called(look, known?.[i]),
      called(look, heard?.said[i]),
      chosen,
    ]),
  };
}

function gathered(look: Microscope, count: number): [number, number][] {
  const chosen = new Set(look.gathered);
  return Array.from({ length: count }, (_, i) => [i, Number(chosen.has(i))]);
}

/** The units of structures, the first chosen at the top. */
export function structures(epoch: number | null, shown: Structure[]): Numbers {
  return {
    header: ["epoch", "target", "layer", "unit", "score", "low", "high"],
    rows: shown.flatMap(({ target, units }) =>
      units.map((one): Row => [epoch, target, one.layer, one.unit, one.score, one.low, one.high]),
    ),
  };
}

/** Where each cell lies on its map, and what is shown of it there for each class. */
export function maps(look: Microscope, map: Topo | null, groups: number[], values: Float32Array[]): Numbers {
  const layer = look.layer(look.slide);
  const names = groups.map((k) => called(look, k) ?? "");
  return {
    header: ["epoch", "layer", "unit", "units", "x", "y", ...names],
    rows: [...(map?.x ?? [])].map((x, cell) => [
      look.epoch,
      layer?.name ?? null,
      look.unit({ slide: look.slide, cell }),
      layer?.counts?.[cell] ?? 1,
      x,
      map?.y[cell] ?? null,
      ...values.map((one) => one[cell] ?? null),
    ]),
  };
}

/** Each node that is shown: its size and cost, and how much of it is each chosen class's own. */
export function graph(look: Microscope, shown: Graph | null, own: Owned | null, chosen: number[]): Numbers {
  const table = own?.tables.get(look.recorded) ?? own?.tables.get("contrast");
  return {
    header: ["epoch", "node", "kind", "parameters", "multiplications", ...chosen.map((k) => called(look, k) ?? "")],
    rows: (shown?.nodes ?? []).map((node) => {
      const within = shown?.layers[node.id] ?? [];
      const work = within.map((name) => shown?.work[name] ?? null);
      const cost = work.length > 0 && !work.includes(null) ? work.reduce<number>((a, b) => a + (b ?? 0), 0) : null;
      const parts = own && table && within.length > 0 ? share(own, table, within, chosen) : chosen.map(() => null);
      return [look.epoch, node.path, node.type, node.params, cost, ...parts];
    }),
  };
}

/** Every number of the run's charts, and of its layers, at every epoch. */
export function run(look: Microscope, charts: Chart[], layers: Vitals | null): Numbers {
  const epochs = look.index?.epochs ?? [];
  const scalars = charts.flatMap(({ name, courses }) =>
    courses.flatMap(({ label, values }) =>
      values.map((one, at): Row => [epochs[at] ?? null, null, label === "" ? name : `${name}, ${label}`, one]),
    ),
  );
  const rows = [...(layers?.tables ?? [])].flatMap(([what, { values, columns }]) =>
    (layers?.layers ?? []).flatMap((layer, l) =>
      epochs.map((epoch, e): Row => [epoch, layer, what, values[l * columns + e] ?? null]),
    ),
  );
  return { header: ["epoch", "layer", "what", "value"], rows: [...scalars.filter((row) => row[3] !== null), ...rows] };
}
