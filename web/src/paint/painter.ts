/** Who paints: the graphics card through WebGL2 where there is one, else the plain canvas; both paint the same. */

import type { Scene } from "../lib/scene";
import { plain } from "./plain";
import { webgl } from "./webgl";

export interface Painter {
  name: "webgl2" | "canvas";
  paint(scene: Scene, pixels: number): void;
  /** Give back what it holds. */
  end(): void;
}

/** On a canvas that nobody has painted on; `asked`: "canvas" does without WebGL. */
export function painter(canvas: HTMLCanvasElement, asked: string | null): Painter {
  const fast = asked === "canvas" ? null : webgl(canvas);
  const found = fast ?? plain(canvas);
  if (found === null) throw new Error("This browser lets no page paint: neither WebGL2 nor a canvas is to be had.");
  return found;
}

/** As many pixels as the screen has, within reason: what is painted without a graphics card takes time. */
export function fit(canvas: HTMLCanvasElement, scene: Scene, pixels: number): void {
  const width = Math.max(1, Math.round(scene.width * pixels));
  const height = Math.max(1, Math.round(scene.height * pixels));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
