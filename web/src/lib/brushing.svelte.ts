/** Units that were chosen together, by layer: drawn round, touched one by one, or a structure's members. */

import { cellsOf, joined, toggled, unitsOf, type Home } from "./homes";
import type { Cell, Microscope } from "./microscope.svelte";
import { unpack } from "./unpack";

export interface Brush {
  layer: string;
  units: number[];
}

export class Brushing {
  all: Brush[] = $state.raw([]);
  /** Of large layers, by their place, as far as they were needed. */
  private homes: Record<number, Home> = $state.raw({});

  constructor(private readonly look: Microscope) {}

  /** The chosen units of a layer. */
  units(slide: number): number[] {
    const name = this.look.layer(slide)?.name;
    return this.all.find((one) => one.layer === name)?.units ?? [];
  }

  /** The cells that show them; none as long as these aren't known yet. */
  cells(slide: number): number[] {
    const units = this.units(slide);
    if (units.length === 0 || !this.look.layer(slide)?.first) return units;
    const home = this.homes[slide];
    if (home === undefined) void this.home(slide).catch(() => undefined);
    return home === undefined ? [] : cellsOf(home, units);
  }

  /** What these cells show, in place of all that was chosen, or besides it. */
  async take(slide: number, cells: number[], more = false): Promise<void> {
    this.these(slide, unitsOf(await this.home(slide), cells), more);
  }

  /** These units, in place of all that was chosen, or besides it. */
  these(slide: number, units: number[], more = false): void {
    this.set(slide, more ? joined(this.units(slide), units) : units, more);
  }

  /** A cell's units come to the chosen ones, or go. */
  async toggle({ slide, cell, unit }: Cell): Promise<void> {
    const own = unit === undefined ? unitsOf(await this.home(slide), [cell]) : [unit];
    this.set(slide, toggled(this.units(slide), own), true);
  }

  clear(): void {
    this.all = [];
  }

  private set(slide: number, units: number[], others: boolean): void {
    const layer = this.look.layer(slide)?.name;
    if (layer === undefined) return;
    const rest = others ? this.all.filter((one) => one.layer !== layer) : [];
    this.all = units.length > 0 ? [...rest, { layer, units }] : rest;
  }

  /** Of a large layer the cell of each unit. */
  async home(slide: number): Promise<Home> {
    if (!this.look.layer(slide)?.first) return null;
    const found = await this.look.files.part(
      `units/${slide}.bin`,
      (whole) => unpack(whole).arrays.get("cell") as Uint32Array,
    );
    if (this.homes[slide] !== found) this.homes = { ...this.homes, [slide]: found };
    return found;
  }
}
