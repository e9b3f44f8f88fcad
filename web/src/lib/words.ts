/** What a view says of itself: what it shows, what was counted, how sure it is. */

import { NOTICED, noticed } from "./change";
import { called, type Stainer } from "./dyeing";
import type { Changed } from "./scene";
import { total, visible } from "./share";
import type { Microscope } from "./microscope.svelte";

export interface Said {
  shows: string;
  counted: string;
  sure: string;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** "one thing", "2 things". */
export function plural(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? "" : /(s|x|sh)$/.test(thing) ? "es" : "s"}`;
}

/** Three digits, and no more letters than they need. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** A name in so many letters: what is left out is its middle, because names that begin alike are told apart by their ends. */
export function brief(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const end = Math.floor((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(letters.length - end).join("")}`;
}

export function listed(names: string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function pathways(look: Microscope): Said {
  const { index, cells, chosen } = look;
  if (index === null || cells === null) return { shows: "", counted: "", sure: "" };
  return { shows: shows(look), counted: counted(look).join(" · "), sure: sure(look, chosen.length) };
}

/** "e31 − e12". */
export function apart(look: Microscope): string {
  return `e${look.epoch} − e${look.from}`;
}

/** What a picture of what changed says of itself. */
export function shifts(look: Microscope, found: Changed | null): Said {
  const { index, chosen, dyeHere, dye, epoch, from } = look;
  if (index === null || from === null) return { shows: "", counted: "", sure: "" };
  const whom =
    chosen.length > 3 ? `the ${chosen.length} stained classes` : listed(chosen.map((k) => index.classes[k] as string));
  const causal = dyeHere === "causal";
  const what = causal ? `what each unit adds to ${whom}` : `active each unit is${whom ? ` for ${whom}` : ""}`;
  const shows = `${apart(look)}: how ${what} changed from epoch ${from} to epoch ${epoch}, and which paths came and went.`;
  if (found === null) return { shows, counted: "", sure: "" };
  const known = found.cells.reduce((sum, one) => sum + one.filter(Number.isFinite).length, 0);
  const said = [
    `${count(noticed(found.cells))} of ${plural(known, "cell")} changed by more than ${100 * NOTICED} % of full depth`,
  ];
  if (found.traffic !== null && chosen.length > 0) {
    const { come, gone, both } = found.traffic;
    said.push(
      `of the strongest paths ${count(come.length)} are new, ${count(gone.length)} gone, ${count(both)} stayed and are not drawn`,
    );
  }
  const of = chosen.length > 1 ? "Of several stained classes a cell shows the one that changed most. " : "";
  const instead =
    look.structure !== null
      ? `A saved structure is the same at every epoch: this is ${causal ? "recorded attribution" : "activity"}. `
      : dye !== dyeHere
        ? "Attribution was not recorded at both epochs: this is activity. "
        : "";
  const estimate = causal
    ? "The difference of two estimates; no cut has proved it."
    : "The difference of two recordings; it is not proved to matter.";
  return { shows, counted: said.join(" · "), sure: `${of}${instead}${estimate}` };
}

function shows({ index, chosen, dyeHere, stainer, epoch }: Microscope): string {
  const classes = index?.classes ?? [];
  if (dyeHere === "structure" && stainer !== null) {
    const led = chosen.length > 0 ? `; and the paths that lead to the outputs at epoch ${epoch}` : "";
    return `What each unit ${called(stainer)}${led}.`;
  }
  if (classes.length === 0)
    return `How active each unit is at epoch ${epoch}; the trace names no classes, so nothing is dyed.`;
  if (chosen.length === 0) return `Each unit at epoch ${epoch}, no class stained: choose one at the right.`;
  const causal = dyeHere === "causal";
  if (chosen.length > 3) {
    return `The class that each unit ${causal ? "adds to most" : "is most active for"} at epoch ${epoch}, and the paths that lead to the outputs.`;
  }
  const whom = listed(chosen.map((k) => classes[k] as string));
  const what = causal ? `What each unit adds to ${whom}` : `How active each unit is for ${whom} above the others`;
  return `${what} at epoch ${epoch}, and the paths that lead there.`;
}

function counted({ index, cells, paths, chosen }: Microscope): string[] {
  if (index === null || cells === null) return [];
  const slides = index.layers.length;
  const units = index.layers.reduce((sum, one) => sum + one.units, 0);
  const every = index.every;
  const shown = slides + (index.ends ? 1 : 0);
  const said = [
    `${plural(units, "unit")} in ${shown === every ? "all" : `${count(shown)} of`} ${plural(every, "layer")}${index.ends ? ", the last one as the classes" : ""}`,
  ];
  const several = index.layers.filter((one) => one.first).map((one) => one.name);
  if (several.length > 0) said.push(`several units to a cell in ${listed(several)}`);
  if (paths !== null && chosen.length > 0) {
    const all = total(paths, chosen);
    const few = visible(paths, chosen, index.ribbons);
    if (few > 0)
      said.push(few === all ? `all ${plural(all, "path")}` : `the strongest ${count(few)} of ${plural(all, "path")}`);
    else said.push(`no paths: ${paths.absent || "nothing answers on the way"}`);
  }
  if (chosen.length > 0 && chosen.length < index.classes.length) {
    said.push(`${count(chosen.length)} of ${plural(index.classes.length, "class")} stained`);
  }
  if (cells.judged > 0) said.push(`${plural(cells.judged, "example")} judged`);
  return said;
}

function sure(look: Microscope, stains: number): string {
  const { index, dyeHere, dye, stainer } = look;
  if (dyeHere === "structure" && stainer !== null) return ofStructure(look, stainer);
  const known = index?.dyes.find((one) => one.name === dyeHere);
  if (index === null || known === undefined || index.classes.length === 0) return "";
  if (stains === 0) return "";
  if (dyeHere === "causal") {
    return `An estimate of what deleting each unit would take from the class's log-odds (attribution patching, ${known.source}); a cut proves it.`;
  }
  const instead = dye === "causal" ? "No attribution was recorded at this epoch. " : "";
  return `${instead}Activity on ${known.source}: it tells units apart, and is not proved to matter.`;
}

/** How far a saved structure's scores are to be believed, and of what they say nothing. */
function ofStructure({ chosen, index }: Microscope, by: Stainer): string {
  const others = chosen.filter((k) => k !== by.class).length;
  const rest = by.class >= 0 && others > 0 ? ` It says nothing of the other ${plural(others, "stained class")}.` : "";
  const missing = (index?.layers ?? []).filter((_, slide) => by.tables[slide] === undefined).map((one) => one.name);
  const instead = missing.length > 0 ? ` It did not look at ${listed(missing)}: there dye is activity.` : "";
  const how = by.causal
    ? `Found by ${by.by}: an estimate of what deleting each unit would take; a cut proves it.`
    : "Found by activity: an annotation, not proved to matter.";
  return `${how} The scores of ${plural(by.count, "member")} and of all other candidates, as they were saved: the same at every epoch.${rest}${instead}`;
}
