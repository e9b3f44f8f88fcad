/** Who paints points: a graphics card where there is one. */

import type { Field } from "../lib/field";
import { painting } from "./card";
import { plainPoints } from "./points_plain";
import { cardPoints } from "./points_webgl";

export interface PointPainter {
  name: "webgl2" | "canvas";
  paint(field: Field, pixels: number): void;
}

export function pointPainter(canvas: HTMLCanvasElement, asked: string | null): PointPainter {
  return painting<PointPainter>(canvas, asked, cardPoints, plainPoints);
}
