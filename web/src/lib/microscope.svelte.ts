/** What is looked at: one epoch cursor, one selection and one set of stains, for every view of the page. */

import { NOWHERE, parse, preferred, written, type Address, type Lamp, type View } from "./address";
import { Brushing, type Brush } from "./brushing.svelte";
import { Files } from "./files";
import { Listening } from "./listening";
import type { Source } from "./source";
import type { Cells, DyeName, LayerInfo, Paths, Shown } from "./types";

export interface Cell {
  slide: number;
  cell: number;
}

export type Phase = "opening" | "waiting" | "ready" | "broken";

const AHEAD = 8;

export class Microscope {
  phase: Phase = $state("opening");
  trouble: string = $state("");
  index: Shown | null = $state.raw(null);
  /** The place of the epoch among those of the run, and the one whose picture is there already. */
  place: number = $state(0);
  cells: Cells | null = $state.raw(null);
  paths: Paths | null = $state.raw(null);
  stains: number[] = $state.raw([]);
  view: View = $state("pathways");
  /** The layer that is looked at where one is at a time. */
  slide: number = $state(0);
  /** A class that is pointed at: seen alone for as long. */
  alone: number | null = $state(null);
  dye: DyeName = $state("contrast");
  lamp: Lamp = $state("bright");
  picked: Cell | null = $state.raw(null);
  hovered: Cell | null = $state.raw(null);
  /** The probe's example that is looked at, and those that were chosen together. */
  sample: number | null = $state(null);
  gathered: number[] = $state.raw([]);
  /** The example that is pointed at. */
  pointed: number | null = $state(null);
  /** The place of the epoch that this one is compared with. */
  beside: number | null = $state(null);
  playing: boolean = $state(false);
  looping: boolean = $state(false);
  /** Does the cursor go on with the newest epoch? As long as it is on it. */
  following: boolean = $state(true);
  sheet: boolean = $state(false);
  said: string = $state("");

  epoch: number = $derived(this.index?.epochs[this.place] ?? 0);
  chosen: number[] = $derived(this.alone !== null ? [this.alone] : this.stains);
  /** The dye that this epoch allows. */
  dyeHere: DyeName = $derived(this.allows("causal") && this.dye === "causal" ? "causal" : "contrast");
  loading: boolean = $derived(this.phase === "ready" && this.cells?.epoch !== this.epoch && this.trouble === "");

  readonly files: Files;
  readonly brushing: Brushing = new Brushing(this);
  private asked: Address = NOWHERE;
  private readonly listening: Listening;
  private busy = 0;

  constructor(source: Source) {
    this.files = new Files(source);
    this.listening = new Listening(source, () => void this.refresh());
  }

  /** Units of one layer that were chosen together; to set them lets all others go. */
  get brushed(): Brush | null {
    return this.brushing.all[0] ?? null;
  }
  set brushed(brush: Brush | null) {
    this.brushing.all = brush !== null && brush.units.length > 0 ? [brush] : [];
  }

  allows(dye: DyeName): boolean {
    return this.index?.dyes.find((one) => one.name === dye)?.epochs.includes(this.epoch) ?? false;
  }

  layer(slide: number): LayerInfo | undefined {
    return this.index?.layers[slide];
  }

  /** The unit that a cell shows, or the first of them. */
  unit({ slide, cell }: Cell): number {
    return this.layer(slide)?.first?.[cell] ?? cell;
  }

  async open(hash: string): Promise<void> {
    this.asked = parse(hash);
    await this.refresh();
  }

  /** Read the index, and again for as long as the run is being recorded. */
  async refresh(): Promise<void> {
    try {
      const found = await this.files.index();
      if (found.refused !== undefined) return this.broken(found.refused);
      if (found.epochs.length === 0) this.phase = "waiting";
      else this.grown(found as Shown);
      if (!found.closed && this.files.live) this.listening.begin(found.live === true);
      else this.listening.end();
    } catch (error) {
      this.listening.end();
      this.broken(said(error));
    }
  }

  /** Whether somebody sees the page: while nobody does, nothing is asked, and a tab holds no stream. */
  seen(visible: boolean): void {
    if (!visible) this.listening.end();
    else if (this.phase !== "opening" && this.files.live && this.index?.closed !== true) void this.refresh();
  }

  private grown(found: Shown): void {
    const before = this.index;
    const same = before?.epochs.length === found.epochs.length && before.closed === found.closed;
    if (same && this.phase === "ready") return;
    this.index = found;
    if (before === null) this.go(this.asked);
    this.phase = "ready";
    if (this.busy === 0) this.onward();
    void this.look();
  }

  /** To an address; what it leaves open is as the page chooses. */
  go(to: Address): void {
    const index = this.index;
    if (index === null) return;
    const place = to.epoch === null ? index.epochs.length - 1 : index.epochs.indexOf(to.epoch);
    if (place < 0) this.tell(`Epoch ${to.epoch} was not recorded: this is epoch ${index.epochs.at(-1)}.`);
    this.place = place < 0 ? index.epochs.length - 1 : place;
    this.following = this.place === index.epochs.length - 1;
    this.dye = to.dye ?? (index.dyes[0]?.name as DyeName);
    this.lamp = to.lamp ?? preferred();
    this.view = to.view ?? "pathways";
    this.stains = to.stains === null ? index.stains : to.stains.map((name) => this.number(name)).filter((k) => k >= 0);
    this.picked = this.found(to);
    this.sample = to.sample;
    const beside = to.versus === null ? -1 : index.epochs.indexOf(to.versus);
    if (to.versus !== null && beside < 0) this.tell(`Epoch ${to.versus} was not recorded: nothing is compared.`);
    this.beside = beside < 0 ? null : beside;
    const named = this.named(to.layer);
    this.slide = named >= 0 ? named : index.layers.length - 1;
    this.asked = to;
  }

  private named(name: string | null): number {
    return this.index?.layers.findIndex((one) => one.name === name || one.name === `L_${name}`) ?? -1;
  }

  private found(to: Address): Cell | null {
    return to.unit === null ? null : this.cellOf(to.layer, to.unit);
  }

  /** The cell that shows a unit; null where none does. */
  cellOf(name: string | null, unit: number): Cell | null {
    const slide = this.named(name);
    const layer = this.layer(slide);
    if (layer === undefined) return null;
    const cell = layer.first ? layer.first.indexOf(unit) : unit;
    return cell >= 0 && cell < layer.cells ? { slide, cell } : null;
  }

  /** Look at a layer by its name, and at one of its units; says so where the page shows neither. */
  visit(name: string, unit: number | null = null): void {
    const slide = this.named(name);
    if (slide < 0)
      return this.tell(`${name} has no slide on this page: it shows ${this.index?.layers.length ?? 0} layers.`);
    this.slide = slide;
    if (unit === null) {
      if (this.picked?.slide !== slide) this.picked = null;
      return;
    }
    const cell = this.cellOf(name, unit);
    if (cell === null) this.tell(`Unit ${unit} of ${name} lies in a cell that several share: no cell is its own.`);
    this.pick(cell);
  }

  private number(name: string): number {
    const classes = this.index?.classes ?? [];
    const known = classes.indexOf(name);
    return known >= 0 || !/^\d+$/.test(name) || Number(name) >= classes.length ? known : Number(name);
  }

  /** The address of all of this. */
  get address(): Address {
    const index = this.index;
    if (index === null) return this.asked;
    const usual = index.stains.length === this.stains.length && index.stains.every((k, i) => k === this.stains[i]);
    const slide = this.picked?.slide ?? (this.view === "layers" || this.view === "projector" ? this.slide : -1);
    return {
      view: this.view === "pathways" ? null : this.view,
      epoch: this.epoch,
      layer: this.layer(slide)?.name ?? null,
      unit: this.picked ? this.unit(this.picked) : null,
      stains: usual ? null : this.stains.map((k) => index.classes[k] as string),
      dye: this.dye === index.dyes[0]?.name ? null : this.dye,
      lamp: this.lamp === preferred() ? null : this.lamp,
      versus: this.beside === null ? null : (index.epochs[this.beside] ?? null),
      sample: this.sample,
    };
  }

  get hash(): string {
    return written(this.address);
  }

  /** Keep a cell; its layer is the one that is looked at. */
  pick(cell: Cell | null): void {
    this.picked = cell;
    if (cell !== null) this.slide = cell.slide;
  }

  /** Fetch what the cursor is on, then what is near. */
  async look(): Promise<void> {
    const { epoch, dyeHere } = this;
    this.busy += 1;
    try {
      const [cells, paths] = await Promise.all([this.files.cells(epoch), this.files.paths(epoch, dyeHere)]);
      if (epoch !== this.epoch || dyeHere !== this.dyeHere) return;
      [this.cells, this.paths, this.trouble] = [cells, paths, ""];
    } catch (error) {
      if (epoch === this.epoch) this.trouble = said(error);
    } finally {
      this.busy -= 1;
    }
    if (this.busy === 0 && this.onward()) return this.look();
    this.files.soon("near", this.near());
  }

  /** On to the newest epoch, if it is followed; only once the one before is on the screen, or a fast run would show none. */
  private onward(): boolean {
    const last = (this.index?.epochs.length ?? 1) - 1;
    if (!this.following || this.playing || this.place === last) return false;
    this.place = last;
    return true;
  }

  private near(): (() => Promise<unknown>)[] {
    const epochs = this.index?.epochs ?? [];
    const causal = this.index?.dyes.find((one) => one.name === "causal")?.epochs ?? [];
    const places = Array.from({ length: AHEAD }, (_, i) => [this.place + i + 1, this.place - i - 1]).flat();
    return places
      .map((place) => epochs[place])
      .filter((epoch) => epoch !== undefined)
      .flatMap((epoch) => [
        () => this.files.cells(epoch),
        () => this.files.paths(epoch, this.dye === "causal" && causal.includes(epoch) ? "causal" : "contrast"),
      ]);
  }

  step(by: number): void {
    this.to(this.place + by);
  }

  to(place: number): void {
    const last = (this.index?.epochs.length ?? 1) - 1;
    this.place = Math.min(last, Math.max(0, place));
    this.following = this.place === last;
    void this.look();
  }

  /** To the newest epoch and on with it, or no longer. */
  follow(): void {
    if (this.following) this.following = false;
    else this.to(Infinity);
  }

  toggle(number: number): void {
    const on = this.stains.includes(number);
    this.stains = on ? this.stains.filter((k) => k !== number) : [...this.stains, number].sort((a, b) => a - b);
    if (this.stains.length > 10) {
      this.stains = this.stains.filter((k) => k === number || k !== this.stains[0]).slice(-10);
      this.tell("There are dyes for ten classes at a time: the first gave way.");
    }
  }

  use(dye: DyeName): void {
    this.dye = dye;
    void this.look();
  }

  /** A line for a moment. */
  tell(words: string): void {
    this.said = words;
    setTimeout(() => (this.said = this.said === words ? "" : this.said), 4000);
  }

  private broken(words: string): void {
    if (this.phase === "ready" && this.index !== null) {
      this.tell(words); // what is there already can still be looked at
      return;
    }
    this.trouble = words;
    this.phase = "broken";
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
