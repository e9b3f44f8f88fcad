/** Whole numbers as they stand in an address: 3-7,12. */

/** How many an address may name, so that no link can fill the memory. */
const MOST = 4_000_000;

/** As they come, each once, those that follow one another as one. */
export function ranged(numbers: readonly number[]): string {
  const all = [...new Set(numbers)];
  const found: string[] = [];
  for (let i = 0; i < all.length;) {
    let j = i;
    while (all[j + 1] === (all[j] as number) + 1) j += 1;
    found.push(i === j ? `${all[i]}` : `${all[i]}-${all[j]}`);
    i = j + 1;
  }
  return found.join(",");
}

/** As they are named, each once; null where it is nothing of the kind. */
export function unranged(text: string): number[] | null {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const ends = /^(\d{1,12})(?:-(\d{1,12}))?$/.exec(part);
    if (ends === null) return null;
    const [first, last] = [Number(ends[1]), Number(ends[2] ?? ends[1])];
    if (last < first || found.size + last - first >= MOST) return null;
    for (let one = first; one <= last; one++) found.add(one);
  }
  return [...found];
}
