/** Whole numbers as they stand in an address: 3-7,12. */

/** How many an address may name, so that no link can fill the memory. */
const MOST = 4_000_000;

export function ranged(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const found: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let j = i;
    while (sorted[j + 1] === (sorted[j] as number) + 1) j += 1;
    found.push(i === j ? `${sorted[i]}` : `${sorted[i]}-${sorted[j]}`);
    i = j + 1;
  }
  return found.join(",");
}

/** Null where it is nothing of the kind. */
export function unranged(text: string): number[] | null {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const ends = /^(\d{1,12})(?:-(\d{1,12}))?$/.exec(part);
    if (ends === null) return null;
    const [first, last] = [Number(ends[1]), Number(ends[2] ?? ends[1])];
    if (last < first || found.size + last - first >= MOST) return null;
    for (let one = first; one <= last; one++) found.add(one);
  }
  return [...found].sort((a, b) => a - b);
}
