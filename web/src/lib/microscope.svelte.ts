/** What is looked at: one epoch cursor, one selection and one set of stains, for every view of the page. */

import { NOWHERE, read, written, type Address, type Lamp, type View } from "./address";
import { Brushing, type Brush } from "./brushing.svelte";
import { dyed, stainerOf, type Choice, type Stainer } from "./dyeing";
import { Files } from "./files";
import type { Mistaken } from "./mistaken";
import { near } from "./near";
import { Listening } from "./listening";
import type { Source } from "./source";
import { go, standing } from "./standing";
import type { Numbers } from "./take";
import type { Cells, DyeName, LayerInfo, Paths, Recorded, Shown, Then } from "./types";
import { said, type Cell } from "./where";

export type { Cell } from "./where";

export type Phase = "opening" | "waiting" | "ready" | "broken";

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
  dye: Recorded = $state("contrast");
  /** The place of the saved structure that cells are dyed by instead; and what it says, once it is there. */
  structure: number | null = $state(null);
  stainer: Stainer | null = $state.raw(null);
  lamp: Lamp = $state("bright");
  picked: Cell | null = $state.raw(null);
  hovered: Cell | null = $state.raw(null);
  /** The probe's example that is looked at, those that were chosen together, and the one that is pointed at. */
  sample: number | null = $state(null);
  private some: number[] = $state.raw([]);
  /** Which were gathered, if they are those of one class that were taken for another at an epoch. */
  cell: Mistaken | null = $state.raw(null);
  pointed: number | null = $state(null);
  /** The classes whose structures are looked at: one, or two that are compared; none: the page chooses. */
  targets: number[] = $state.raw([]);
  /** The place of the epoch that this one is compared with; is the difference shown, and of what. */
  beside: number | null = $state(null);
  changing: boolean = $state(false);
  /** The epoch of another run that is looked at beside this one; null: the same as here. */
  other: number | null = $state(null);
  private then: Then | null = $state.raw(null);
  playing: boolean = $state(false);
  looping: boolean = $state(false);
  /** Does the cursor go on with the newest epoch? As long as it is on it. */
  following: boolean = $state(true);
  sheet: boolean = $state(false);
  asking: "export" | "find" | null = $state(null);
  table: (() => Numbers) | null = null;
  said: string = $state("");

  epoch: number = $derived(this.index?.epochs[this.place] ?? 0);
  chosen: number[] = $derived(this.alone !== null ? [this.alone] : this.stains);
  /** The epoch that is marked, if the difference to it is shown. */
  from: number | null = $derived(
    this.changing && this.beside !== null ? (this.index?.epochs[this.beside] ?? null) : null,
  );
  /** What this epoch is compared with, once it is there. */
  before: Then | null = $derived(this.from !== null && this.then?.epoch === this.from ? this.then : null);
  /** The recorded dye that this epoch allows, and the one that it is compared with. */
  recorded: Recorded = $derived(
    this.dye === "causal" && [this.epoch, this.from ?? this.epoch].every((epoch) => this.allows("causal", epoch))
      ? "causal"
      : "contrast",
  );
  /** What cells are dyed by: a saved structure is the same at all epochs, and shows no change. */
  dyeHere: DyeName = $derived(
    this.from === null && this.structure !== null && this.stainer?.place === this.structure
      ? "structure"
      : this.recorded,
  );
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

  get gathered(): number[] {
    return this.some;
  }
  set gathered(found: number[]) {
    [this.some, this.cell] = [found, null];
  }

  /** Units of one layer that were chosen together; to set them lets all others go. */
  get brushed(): Brush | null {
    return this.brushing.all[0] ?? null;
  }
  set brushed(brush: Brush | null) {
    this.brushing.all = brush !== null && brush.units.length > 0 ? [brush] : [];
  }

  allows(dye: Recorded, epoch = this.epoch): boolean {
    return this.index?.dyes.find((one) => one.name === dye)?.epochs.includes(epoch) ?? false;
  }

  layer(slide: number): LayerInfo | undefined {
    return this.index?.layers[slide];
  }

  /** The unit that a cell shows, or the first of them. */
  unit({ slide, cell, unit }: Cell): number {
    return unit ?? this.layer(slide)?.first?.[cell] ?? cell;
  }

  async open(hash: string): Promise<void> {
    const { at, wrong } = read(hash);
    this.asked = at;
    await this.refresh();
    if (wrong.length > 0) this.tell(wrong.join(" "));
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

  /** Nobody looks any more. */
  end(): void {
    this.listening.end();
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

  /** To an address, as it is written; what in it means nothing is said. */
  goTo(hash: string): void {
    const { at, wrong } = read(hash);
    this.go(at);
    if (wrong.length > 0) this.tell(wrong.join(" "));
  }

  /** To an address; what it leaves open is as the page chooses. */
  go(to: Address): void {
    if (this.index === null) return;
    go(this, this.index, to);
    this.asked = to;
  }

  /** The address of all of this. */
  get address(): Address {
    return this.index === null ? this.asked : standing(this, this.index);
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
    const { epoch, recorded, structure, from } = this;
    this.busy += 1;
    try {
      const both = [epoch, ...(from === null ? [] : [from])];
      const [by, ...found] = await Promise.all([
        stainerOf(this, structure),
        ...both.map((one) => Promise.all([this.files.cells(one), this.files.paths(one, recorded)])),
      ]);
      if (epoch !== this.epoch || recorded !== this.recorded || from !== this.from) return;
      if (structure !== this.structure && by !== null) return;
      const [[cells, paths], then] = found as [[Cells, Paths], [Cells, Paths] | undefined];
      this.then = then === undefined || from === null ? null : { epoch: from, cells: then[0], paths: then[1] };
      [this.cells, this.paths, this.trouble] = [by === null ? cells : dyed(cells, by), paths, ""];
      this.stainer = by;
    } catch (error) {
      if (epoch === this.epoch) this.trouble = said(error);
    } finally {
      this.busy -= 1;
    }
    if (this.busy === 0 && this.onward()) return this.look();
    this.files.soon("near", near(this.files, this.index, this.place, this.dye));
  }

  /** On to the newest epoch, if it is followed; only once the one before is on the screen, or a fast run would show none. */
  private onward(): boolean {
    const last = (this.index?.epochs.length ?? 1) - 1;
    if (!this.following || this.playing || this.place === last) return false;
    this.place = last;
    return true;
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

  /** Dye by this; of a structure, the class that it speaks for alone. */
  async use({ dye, structure }: Pick<Choice, "dye" | "structure">): Promise<void> {
    [this.dye, this.structure] = [dye, structure];
    await this.look();
    const own = this.structure === structure && structure !== null ? (this.stainer?.class ?? -1) : -1;
    if (own >= 0) this.stains = [own];
  }

  /** This epoch is the one that others are compared with, or no longer. */
  mark(): void {
    this.beside = this.beside === this.place ? null : this.place;
    if (this.beside === null) this.changing = false;
    else this.tell(`Epoch ${this.epoch} is A: go on, and C shows what is different.`);
    void this.look();
  }

  /** Show how this epoch differs from the marked one, from the first if none is; or this epoch itself. */
  change(on = this.from === null): void {
    if (on) this.beside ??= 0;
    this.changing = on;
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
