import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseCss } from "svelte/compiler";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "..", "src");
const components = [...readdirSync(join(SRC, "parts")).map((name) => join("parts", name)), "App.svelte"];

/** The classes of a component's elements, its style's own, and the selectors of its style. */
function read(file: string): { used: Set<string>; own: string[] } {
  const text = readFileSync(join(SRC, file), "utf8");
  const tree = parse(text, { modern: true });
  const used = new Set<string>();
  const words = (node: unknown): void => {
    if (typeof node === "string") node.split(/\s+/).forEach((word) => used.add(word));
    else if (Array.isArray(node)) node.forEach(words);
    else if (node !== null && typeof node === "object") Object.values(node).forEach(words);
  };
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    if (node === null || typeof node !== "object" || Array.isArray(node)) return;
    const { type, name, value } = node as { type?: string; name?: string; value?: unknown };
    if (type === "Attribute" && name === "class") words(value);
    if (type === "ClassDirective" && name !== undefined) used.add(name);
    Object.values(node).forEach(walk);
  };
  walk(tree.fragment);
  const css = tree.css === null ? "" : text.slice(tree.css.content.start, tree.css.content.end);
  return { used, own: selectors(css) };
}

function selectors(css: string): string[] {
  const found: string[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    if (node === null || typeof node !== "object" || Array.isArray(node)) return;
    const { type, start, end } = node as { type?: string; start: number; end: number };
    if (type === "ComplexSelector") found.push(css.slice(start, end));
    else Object.values(node).forEach(walk);
  };
  walk(parseCss(css).children);
  return found;
}

const seen = new Map(components.map((file) => [file, read(file)]));
const shared = readdirSync(join(SRC, "styles")).flatMap((name) =>
  selectors(readFileSync(join(SRC, "styles", name), "utf8")),
);
const classes = (selector: string): string[] => [...selector.matchAll(/\.([\w-]+)/g)].map(([, name]) => name as string);

describe("styles", () => {
  it("of every page name elements, and classes of several components alone", () => {
    const whose = (selector: string): string[] =>
      components.filter((file) => classes(selector).every((name) => seen.get(file)!.used.has(name)));
    const lonely = shared.filter((one) => classes(one).length > 0 && whose(one).length < 2);
    expect(lonely).toEqual([]);
    expect(shared.filter((one) => classes(one).length > 0).length).toBeGreaterThan(40);
  });

  it("of a component begin at an element of its own, so that they reach no other's", () => {
    const loose = components.flatMap((file) =>
      seen
        .get(file)!
        .own.filter((one) => /^:(global|root)/.test(one))
        .map((one) => `${file}: ${one}`),
    );
    expect(loose).toEqual([]);
    expect([...seen.values()].flatMap(({ own }) => own).length).toBeGreaterThan(200);
  });
});
