/** What is missing where a host has no file of that name, in words: other hosts answer by a page of their own. */

const KINDS: Record<string, string> = {
  cells: "what its cells answer",
  paths: "its paths",
  structures: "its structures",
  units: "which cell shows each unit",
  run: "how its layers fared",
  maps: "its topographic maps",
  beside: "what was found beside another run",
  graph: "its graph",
  changes: "what changed",
  answers: "what was answered to each example",
  points: "where examples lie",
  thumbs: "how examples look",
  driving: "what drives its units",
  examples: "single examples",
  attributions: "what answers owe to each value",
  channels: "what channels make of an example",
  portraits: "portraits of its units",
};

/** A sentence for a file that a host does not have, or would not give. */
export function missing(name: string, status: number): string {
  if (name === "index.json")
    return "There is no run here: this host has no data/index.json. A folder of `nissl export --to site` has it; copy it whole.";
  const what = KINDS[name.split("/")[0] ?? ""] ?? "a part of this run";
  if (status !== 404 && status !== 410) return `${what} could not be had: the host says ${status} to ${name}.`;
  return `This host does not hold ${what} (${name}): a folder has what was made when it was written, \`nissl view\` makes the rest.`;
}
