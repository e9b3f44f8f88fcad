/** Who paints points: a graphics card where there is one. One that is imitated on the processor is slower than the plain canvas. */

import type { Field } from "../lib/field";
import { plainPoints } from "./points_plain";
import { cardPoints } from "./points_webgl";

export interface PointPainter {
  name: "webgl2" | "canvas";
  paint(field: Field, pixels: number): void;
}

/** On a canvas that nobody has painted on; `asked`: "canvas" or "webgl2" whatever there is. */
export function pointPainter(canvas: HTMLCanvasElement, asked: string | null): PointPainter {
  const fast = asked === "webgl2" || (asked !== "canvas" && real()) ? cardPoints(canvas) : null;
  const found = fast ?? plainPoints(canvas);
  if (found === null) throw new Error("This browser lets no page paint: neither WebGL2 nor a canvas is to be had.");
  return found;
}

let known: boolean | null = null;

/** Is there a card, and not a program in its place? */
function real(): boolean {
  if (known !== null) return known;
  const gl = document.createElement("canvas").getContext("webgl2");
  if (gl === null) return (known = false);
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(told === null ? gl.RENDERER : told.UNMASKED_RENDERER_WEBGL));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return (known = !/swiftshader|llvmpipe|software|basic render/i.test(name));
}
