/** A run's files, each fetched and unpacked once and kept while it is near what is looked at. */

import { reason, Unread, type Source } from "./source";
import type { Cells, Index, Paths, Recorded } from "./types";
import { cells, gunzip, paths } from "./unpack";

/** How many files are kept, and how many bytes of them. */
const KEPT = 400;
const BYTES = 600e6;
const FORMAT = 1;

export class Files {
  private readonly held = new Map<string, Promise<unknown>>();
  private readonly ahead = new Map<string, (() => Promise<unknown>)[]>();
  private readonly sizes = new Map<string, number>();
  private busy = 0;
  /** Tells apart what was made before and after the run grew. */
  private stamp = "";
  private layers = 0;

  constructor(readonly source: Source) {}

  get live(): boolean {
    return this.source.live;
  }

  async index(): Promise<Index> {
    const text = new TextDecoder().decode(await this.source.get("index.json", String(Date.now())));
    let found: Index;
    try {
      found = JSON.parse(text) as Index;
    } catch {
      throw new Unread("What came for index.json is not what nissl writes: is this address a run's page?");
    }
    if (!(found.format <= FORMAT)) {
      throw new Unread(`This run's page is of format ${found.format}, this page reads ${FORMAT}: update nissl.`);
    }
    const stamp = `${found.epochs.length}.${found.epochs.at(-1) ?? ""}`;
    if (stamp !== this.stamp) this.held.clear();
    this.stamp = stamp;
    this.layers = found.layers?.length ?? 0;
    return found;
  }

  cells(epoch: number): Promise<Cells> {
    return this.once(`cells/${epoch}.bin`, (whole) => cells(whole, this.layers));
  }

  paths(epoch: number, dye: Recorded): Promise<Paths> {
    return this.once(`paths/${epoch}.${dye}.bin`, paths);
  }

  /** Fetch these, two at a time; what was wanted before for the same end is forgotten. */
  soon(end: string, wanted: (() => Promise<unknown>)[]): void {
    this.ahead.set(end, [...wanted]);
    while (this.busy < 2 && this.waiting > 0) void this.next();
  }

  private get waiting(): number {
    return [...this.ahead.values()].reduce((sum, one) => sum + one.length, 0);
  }

  /** What somebody looks at comes before what may be looked at next. */
  private first(): (() => Promise<unknown>)[] | undefined {
    const ends = [...this.ahead]
      .filter(([, wanted]) => wanted.length > 0)
      .sort(([a], [b]) => Number(a === "near") - Number(b === "near"));
    return ends[0]?.[1];
  }

  private async next(): Promise<void> {
    const want = this.first()?.shift();
    if (want === undefined) return;
    this.busy += 1;
    await want().catch(() => undefined); // whoever looks at it is told
    this.busy -= 1;
    void this.next();
  }

  /** A file of any other kind, by what its view makes of it. */
  part<T>(name: string, made: (whole: ArrayBuffer) => T): Promise<T> {
    return this.once(name, made);
  }

  private once<T>(name: string, made: (whole: ArrayBuffer) => T): Promise<T> {
    const known = this.held.get(name) as Promise<T> | undefined;
    if (known) {
      this.held.delete(name);
      this.held.set(name, known); // the latest looked at, the last to go
      return known;
    }
    const found = this.source
      .get(name, this.stamp)
      .then(gunzip)
      .then((whole) => {
        this.sizes.set(name, whole.byteLength);
        this.forget();
        return made(whole);
      })
      .catch((error: unknown) => {
        this.held.delete(name);
        throw error instanceof Unread ? error : new Unread(`${name} is damaged or was cut short: ${reason(error)}.`);
      });
    this.held.set(name, found);
    this.forget();
    return found;
  }

  /** What was looked at longest ago goes, when there is too much. */
  private forget(): void {
    let bytes = [...this.held.keys()].reduce((sum, name) => sum + (this.sizes.get(name) ?? 0), 0);
    for (const old of this.held.keys()) {
      if (this.held.size <= KEPT && bytes <= BYTES) break;
      bytes -= this.sizes.get(old) ?? 0;
      this.held.delete(old);
    }
  }
}
