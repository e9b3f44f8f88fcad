/** What is seen, to take along: as a picture whose words are words (SVG), as pixels (PNG), as the numbers behind it (CSV). */

import { value } from "./stain";
import { table } from "./scene";
import type { Microscope } from "./microscope.svelte";
import { written } from "./address";

export interface Numbers {
  header: string[];
  rows: (string | number | null)[][];
}

const SCALE = 2;

/** The place in the trace, as a file may be called. */
export function named(look: Microscope, ending: string): string {
  const { layer, unit } = look.address;
  const parts = [look.index?.name, `e${look.epoch}`, layer, unit === null ? null : `n${unit}`, look.view];
  const name = parts.filter((part) => part != null && part !== "").join("-");
  return `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 120)}.${ending}`;
}

/** A view as one SVG file, with its style in it; canvases become pictures, and the place in the trace stands at the foot. */
export function svg(view: HTMLElement, look: Microscope): string {
  const [wide, high] = [view.clientWidth, Math.max(view.clientHeight, view.scrollHeight)];
  const copy = view.cloneNode(true) as HTMLElement;
  const drawn = view.querySelectorAll("canvas");
  copy.querySelectorAll("canvas").forEach((canvas, i) => {
    const image = document.createElement("img");
    const from = drawn[i] as HTMLCanvasElement;
    image.src = from.width > 0 && from.height > 0 ? from.toDataURL() : "data:,";
    image.className = canvas.className;
    image.style.cssText = `${canvas.style.cssText}; width: ${from.clientWidth}px; height: ${from.clientHeight}px`;
    canvas.replaceWith(image);
  });
  copy.querySelectorAll(".unseen, .toast, dialog").forEach((one) => one.remove());
  copy.style.cssText = `width: ${wide}px; height: ${high}px; overflow: visible`;
  const page = document.createElement("div");
  page.id = "nissl";
  page.style.cssText = `display: block; height: auto; background: var(--paper); color: var(--ink); font: 13px/1.45 var(--text)`;
  const foot = document.createElement("p");
  foot.style.cssText = "padding: 4px 14px 10px; color: var(--muted)";
  foot.textContent = `${look.index?.name ?? ""} · ${written(look.address).slice(2)} · nissl`;
  page.append(copy, foot);
  const words = new XMLSerializer().serializeToString(page);
  const style = styles(view)
    .replace(/:host\(([^)]*)\)/g, ":root$1")
    .replace(/:host\b/g, ":root")
    .replace(/@container page/g, "@media");
  const size = `width="${wide}" height="${high + 34}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} data-lamp="${look.lamp}"><style>${escaped(style)}</style>` +
    `<foreignObject x="0" y="0" ${size}>${words}</foreignObject></svg>`
  );
}

/** All rules that hold where this element is: those of the page, or of the widget around it. */
function styles(view: HTMLElement): string {
  const root = view.getRootNode() as Document | ShadowRoot;
  const own = root instanceof ShadowRoot ? [...root.querySelectorAll("style")].map((one) => one.textContent) : null;
  if (own !== null) return own.join("\n");
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  return rules
    .filter((rule) => !(rule instanceof CSSFontFaceRule))
    .map((rule) => rule.cssText)
    .join("\n");
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

/** The same as pixels, two for each of the screen's. */
export async function png(drawn: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawn)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SCALE * image.width, SCALE * image.height];
  const context = canvas.getContext("2d");
  context?.scale(SCALE, SCALE);
  context?.drawImage(image, 0, 0);
  return new Promise((done, failed) =>
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("this browser makes no picture of it")))),
  );
}

/** The numbers behind what is seen: those that its view gives, else what its units add or answer to each class. */
export function numbers(look: Microscope): Numbers {
  return look.table?.() ?? (look.view === "confusion" ? confused(look) : units(look));
}

function confused({ index, cells }: Microscope): Numbers {
  const classes = index?.classes ?? [];
  const header = ["epoch", "is", "said", "times"];
  const counts = cells?.confusion;
  if (cells === null || !counts) {
    const named = (cells?.mistakes ?? []).map(([is, said, times]) => [classes[is] ?? is, classes[said] ?? said, times]);
    return { header, rows: named.map((row) => [cells?.epoch ?? null, ...row]) };
  }
  const every = [...counts].map((times, at) => [Math.floor(at / classes.length), at % classes.length, times] as const);
  return {
    header,
    rows: every.map(([is, said, times]) => [cells.epoch, classes[is] ?? is, classes[said] ?? said, times]),
  };
}

/** One row a unit (or cell of several), one column a class. */
function units(look: Microscope): Numbers {
  const { index, cells, dyeHere } = look;
  const classes = index?.classes.length ? index.classes : ["all"];
  const rows: Numbers["rows"] = [];
  const one = look.view === "layers" || look.view === "neuron" ? look.slide : null;
  index?.layers.forEach((layer, slide) => {
    const found = cells && (one === null || one === slide) ? table(cells, slide, dyeHere) : null;
    if (found === null) return;
    for (let cell = 0; cell < found.table.cells; cell++) {
      if (look.view === "neuron" && look.picked !== null && look.picked.cell !== cell) continue;
      const known = classes.map((_, k) => value(found.table, k, cell));
      const what =
        found.dye === "structure" ? `adds, by ${look.stainer?.name}` : found.dye === "causal" ? "adds" : "activity";
      rows.push([look.epoch, layer.name, look.unit({ slide, cell }), layer.counts?.[cell] ?? 1, what, ...known]);
    }
  });
  return { header: ["epoch", "layer", "unit", "units", "what", ...classes], rows };
}

/** RFC 4180; what a spreadsheet would take for a formula is only text. */
export function csv({ header, rows }: Numbers): string {
  const cell = (one: string | number | null): string => {
    if (one === null || (typeof one === "number" && !Number.isFinite(one))) return "";
    if (typeof one === "number") return String(Number(one.toPrecision(7)));
    const safe = /^[=+\-@\t\r]/.test(one) ? `'${one}` : one;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

export function saved(data: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
