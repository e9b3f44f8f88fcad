/** What somebody types to go somewhere: a class, a layer, a unit of it, an example, an epoch, a view. */

import { VIEWS } from "./address";
import type { Microscope } from "./microscope.svelte";
import { visit } from "./where";

export interface Place {
  name: string;
  go(): void;
}

const MOST = 12;

export function sought(look: Microscope, wanted: string): Place[] {
  const text = wanted.trim().toLowerCase();
  const index = look.index;
  if (index === null || text === "") return [];
  const named = (name: string): boolean => name.toLowerCase().includes(text);
  const places: Place[] = [];
  const units = /^(.*?)[\s/·:]+n?_?(\d+)$/.exec(text);
  index.layers.forEach((layer, slide) => {
    const unit = units?.[1] !== undefined && layer.name.toLowerCase().includes(units[1]) ? Number(units[2]) : -1;
    if (unit >= 0 && unit < layer.units)
      places.push({ name: `${layer.unit} ${unit} of ${layer.name}`, go: () => visit(look, layer.name, unit) });
    if (named(layer.name))
      places.push({
        name: `layer ${layer.name}`,
        go: () => {
          [look.slide, look.view] = [slide, "layers"];
          look.pick(null);
        },
      });
  });
  const number = /^(epoch|e|sample|example)?[\s_#]*(\d+)$/.exec(text);
  if (number && index.epochs.includes(Number(number[2])) && !/^(sa|ex)/.test(number[1] ?? ""))
    places.push({ name: `epoch ${number[2]}`, go: () => look.to(index.epochs.indexOf(Number(number[2]))) });
  if (number && /^(sa|ex)/.test(number[1] ?? ""))
    places.push({
      name: `example ${number[2]}`,
      go: () => ([look.sample, look.view] = [Number(number[2]), "samples" as const]),
    });
  for (const view of VIEWS)
    if (view.startsWith(text)) places.push({ name: `view ${view}`, go: () => (look.view = view) });
  index.classes.forEach((name, k) => {
    if (places.length < 4 * MOST && named(name))
      places.push({
        name: `class ${name}`,
        go: () =>
          (look.stains = look.stains.length > 3 ? [k] : [...new Set([...look.stains, k])].sort((a, b) => a - b)),
      });
  });
  return places.slice(0, MOST);
}
