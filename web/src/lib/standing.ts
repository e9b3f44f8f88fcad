/** Between an address and what is looked at: to go there, and to say where one is. */

import { brushed, preferred, SAVED, type Address } from "./address";
import { saved } from "./dyeing";
import type { Microscope } from "./microscope.svelte";
import { gatherCell } from "./mistaken";
import { told, type AnswersTold } from "./probe";
import { ranged } from "./ranges";
import type { Recorded, Shown } from "./types";
import { cellOf, classOf, reach, slideOf } from "./where";

/** To an address; what it leaves open is as the page chooses. */
export function go(look: Microscope, index: Shown, to: Address): void {
  const place = to.epoch === null ? index.epochs.length - 1 : index.epochs.indexOf(to.epoch);
  if (place < 0) look.tell(`Epoch ${to.epoch} was not recorded: this is epoch ${index.epochs.at(-1)}.`);
  look.place = place < 0 ? index.epochs.length - 1 : place;
  look.following = look.place === index.epochs.length - 1;
  dye(look, index, to.dye);
  look.lamp = to.lamp ?? preferred();
  look.view = to.view ?? "pathways";
  look.stains = to.stains === null ? index.stains : to.stains.map((name) => classOf(index, name)).filter((k) => k >= 0);
  look.picked = to.unit === null ? null : cellOf(index, to.layer, to.unit);
  if (to.unit !== null && look.picked === null) void reach(look, to.layer, to.unit).catch(() => undefined);
  look.sample = to.sample;
  look.targets = (to.target ?? []).map((name) => classOf(index, name)).filter((k) => k >= 0);
  const beside = to.versus === null ? -1 : index.epochs.indexOf(to.versus);
  if (to.versus !== null && beside < 0) look.tell(`Epoch ${to.versus} was not recorded: nothing is compared.`);
  look.beside = beside < 0 ? null : beside;
  look.changing = beside >= 0 && to.compared;
  look.other = to.other;
  chosen(look, index, to);
  const named = slideOf(index, to.layer);
  look.slide = named >= 0 ? named : index.layers.length - 1;
}

/** Units and examples that were chosen; what the run does not have of them is left out, and that is said. */
function chosen(look: Microscope, index: Shown, to: Address): void {
  const units = (name: string): number => index.layers[slideOf(index, name)]?.units ?? Infinity;
  const brush = (to.brush ?? []).map((one) => ({ ...one, units: one.units.filter((unit) => unit < units(one.layer)) }));
  const lost = (to.brush ?? []).filter((one, i) => brush[i]?.units.length !== one.units.length);
  if (lost.length > 0) look.tell(`${lost.map((one) => one.layer).join(", ")}: not all of these units are there.`);
  look.brushing.all = brush.filter((one) => one.units.length > 0);
  const count = (told<AnswersTold>(look, "answers") ?? told<AnswersTold>(look, "points"))?.count ?? 0;
  look.gathered = (to.examples ?? []).filter((one) => one < count);
  if (look.gathered.length < (to.examples?.length ?? 0))
    look.tell(count > 0 ? `There are examples 0 to ${count - 1} alone.` : "No examples were kept of this run.");
  if (to.cell === null) return;
  const [is, said] = [classOf(index, to.cell.is), classOf(index, to.cell.said)];
  if (is >= 0 && said >= 0) void gatherCell(look, { is, said, epoch: to.cell.epoch ?? look.epoch });
  else look.tell(`There is no class ${is < 0 ? to.cell.is : to.cell.said}: no examples are gathered.`);
}

function dye(look: Microscope, index: Shown, to: Address["dye"]): void {
  const usual = index.dyes[0]?.name ?? "contrast";
  const name = to?.startsWith(SAVED) ? to.slice(SAVED.length) : null;
  look.dye = to === null || name !== null ? usual : (to as Recorded);
  const place = name === null ? -1 : saved(look).indexOf(name);
  if (name !== null && place < 0) {
    const there = saved(look).join(", ");
    look.tell(`No structure ${name} was saved of this run${there ? `, only ${there}` : ""}: the usual dye stands in.`);
  }
  look.structure = place < 0 ? null : place;
}

/** How long what was brushed or gathered may be in an address. */
const LONGEST = 2000;

/** What was chosen in too many pieces for an address, as a sentence that follows another; empty: nothing. */
export function unsaid(look: Microscope): string {
  const lost = [
    ...(brushed(look.brushing.all).length > LONGEST ? ["the brushed units"] : []),
    ...(look.cell === null && ranged(look.gathered).length > LONGEST ? ["the gathered examples"] : []),
  ];
  return lost.length > 0 ? ` It leaves out ${lost.join(" and ")}: too many pieces for an address.` : "";
}

/** The address of all that is looked at. */
export function standing(look: Microscope, index: Shown): Address {
  const usual = index.stains.length === look.stains.length && index.stains.every((k, i) => k === look.stains[i]);
  const slide = look.picked?.slide ?? (look.view === "layers" || look.view === "projector" ? look.slide : -1);
  const plain = look.dye === index.dyes[0]?.name ? null : look.dye;
  return {
    view: look.view === "pathways" ? null : look.view,
    epoch: look.epoch,
    layer: look.layer(slide)?.name ?? null,
    unit: look.picked ? look.unit(look.picked) : null,
    stains: usual ? null : look.stains.map((k) => index.classes[k] as string),
    dye: look.structure === null ? plain : `${SAVED}${saved(look)[look.structure] ?? ""}`,
    lamp: look.lamp === preferred() ? null : look.lamp,
    versus: look.beside === null ? null : (index.epochs[look.beside] ?? null),
    compared: look.from !== null,
    other: look.other,
    sample: look.sample,
    target: look.targets.length === 0 ? null : look.targets.map((k) => index.classes[k] as string),
    ...picks(look, index),
  };
}

function picks(look: Microscope, index: Shown): Pick<Address, "brush" | "examples" | "cell"> {
  const { cell, gathered, epoch } = look;
  const all = look.brushing.all;
  const brush = all.length > 0 && brushed(all).length <= LONGEST ? all : null;
  if (cell !== null) {
    const [is, said] = [index.classes[cell.is] ?? "", index.classes[cell.said] ?? ""];
    return { brush, examples: null, cell: { is, said, epoch: cell.epoch === epoch ? null : cell.epoch } };
  }
  const few = gathered.length > 0 && ranged(gathered).length <= LONGEST;
  return { brush, examples: few ? gathered : null, cell: null };
}
