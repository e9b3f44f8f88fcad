/** Who paints: the graphics card through WebGL2 where there is one, else the plain canvas; both paint the same. */

import type { Scene } from "../lib/scene";
import { painting } from "./card";
import { plain } from "./plain";
import { webgl } from "./webgl";

export interface Painter {
  name: "webgl2" | "canvas";
  paint(scene: Scene, pixels: number): void;
  /** Give back what it holds. */
  end(): void;
}

export function painter(canvas: HTMLCanvasElement, asked: string | null): Painter {
  return painting<Painter>(canvas, asked, webgl, plain);
}
