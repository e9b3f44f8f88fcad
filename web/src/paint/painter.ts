/** Who paints: the graphics card through WebGL2 where there is one, else the plain canvas; both paint the same. A card that is only
 * imitated, as in a browser without one, costs more than none. */

import type { Scene } from "../lib/scene";
import { plain } from "./plain";
import { webgl } from "./webgl";

export interface Painter {
  name: "webgl2" | "canvas";
  paint(scene: Scene, pixels: number): void;
  /** Give back what it holds. */
  end(): void;
}

/** On a canvas that nobody has painted on; `asked`: "canvas" does without WebGL, "webgl2" takes it imitated too. */
export function painter(canvas: HTMLCanvasElement, asked: string | null): Painter {
  const fast = asked === "canvas" || (asked !== "webgl2" && imitated()) ? null : webgl(canvas);
  const found = fast ?? plain(canvas);
  if (found === null) throw new Error("This browser lets no page paint: neither WebGL2 nor a canvas is to be had.");
  return found;
}

/** Asked once, of a canvas that is thrown away: one that had WebGL has nothing else. */
let known: boolean | null = null;
function imitated(): boolean {
  if (known !== null) return known;
  const gl = document.createElement("canvas").getContext("webgl2");
  const said = gl?.getExtension("WEBGL_debug_renderer_info");
  const name: unknown = gl && said ? gl.getParameter(said.UNMASKED_RENDERER_WEBGL) : gl?.getParameter(gl.RENDERER);
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return (known = gl === null || /swiftshader|llvmpipe|softpipe|software|basic render/i.test(String(name)));
}

/** As many pixels as the screen has, within reason: what is painted without a graphics card takes time. */
export function fit(canvas: HTMLCanvasElement, scene: Scene, pixels: number): void {
  const width = Math.max(1, Math.round(scene.width * pixels));
  const height = Math.max(1, Math.round(scene.height * pixels));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
