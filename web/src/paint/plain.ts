/** The painter without a graphics card: the same picture, by the canvas that every browser has. */

import { hex, PAPER, type Light } from "../lib/colour";
import { at as placeOn } from "../lib/rack";
import { SILENT, STRIDE, type Scene, type Slab } from "../lib/scene";
import { fit, type Painter } from "./painter";

const DOT = { bright: "#595e66", dark: "#6b7580" };

export function plain(canvas: HTMLCanvasElement): Painter | null {
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) return null;
  return {
    name: "canvas",
    end: () => undefined,
    paint(scene, pixels) {
      fit(canvas, scene, pixels);
      context.setTransform(pixels, 0, 0, pixels, 0, 0);
      context.globalCompositeOperation = "source-over";
      context.fillStyle = hex(PAPER[scene.lamp]);
      context.fillRect(0, 0, scene.width, scene.height);
      for (const slab of scene.slabs) cells(context, slab, scene, pixels);
      context.setTransform(pixels, 0, 0, pixels, 0, 0);
      if (scene.mixed) for (const dye of scene.inks.keys()) gathered(context, scene, dye, pixels);
      else strokes(context, scene, null);
    },
  };
}

function cells(context: CanvasRenderingContext2D, slab: Slab, scene: Scene, pixels: number): void {
  const { slide, gap } = slab;
  const [a, b] = slide.across;
  context.setTransform(
    pixels * a,
    pixels * b,
    0,
    pixels * slide.side,
    pixels * slide.origin[0],
    pixels * slide.origin[1],
  );
  for (let place = 0; place < slide.order.length; place++) {
    const [red, green, blue, kind] = slab.pixels.subarray(4 * place, 4 * place + 4);
    if (kind === SILENT) continue;
    context.fillStyle = `rgb(${red},${green},${blue})`;
    const x = place % slide.columns;
    const y = Math.floor(place / slide.columns);
    context.fillRect(x + gap / 2, y + gap / 2, 1 - gap, 1 - gap);
  }
  context.setTransform(pixels, 0, 0, pixels, 0, 0);
  context.fillStyle = DOT[scene.lamp];
  const radius = Math.min(1.8, Math.max(0.5, 0.08 * slide.side));
  for (let place = 0; place < slide.order.length; place++) {
    if (slab.pixels[4 * place + 3] !== SILENT) continue;
    const [x, y] = placeOn(slide, (place % slide.columns) + 0.5, Math.floor(place / slide.columns) + 0.5);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

/** One dye's ribbons apart from the picture, where a crowd of them is as deep as the dye, then laid over it. */
function gathered(context: CanvasRenderingContext2D, scene: Scene, dye: number, pixels: number): void {
  const apart = document.createElement("canvas");
  apart.width = context.canvas.width;
  apart.height = context.canvas.height;
  const own = apart.getContext("2d");
  if (own === null) return;
  own.setTransform(pixels, 0, 0, pixels, 0, 0);
  strokes(own, scene, dye);
  context.globalCompositeOperation = scene.lamp === "bright" ? "multiply" : "screen";
  context.drawImage(apart, 0, 0, scene.width, scene.height);
  context.globalCompositeOperation = "source-over";
}

function strokes(context: CanvasRenderingContext2D, scene: Scene, dye: number | null): void {
  const { ribbons } = scene;
  for (let at = 0; at < ribbons.length; at += STRIDE) {
    const [x = 0, y = 0, toX = 0, toY = 0, wide = 1, alpha = 0, red = 0, green = 0, blue = 0, dashed = 0, own = 0] =
      ribbons.subarray(at, at + STRIDE);
    if (dye !== null && own !== dye) continue;
    const bend = 0.55 * (toX - x);
    context.strokeStyle = hex([red, green, blue] as Light);
    context.globalAlpha = alpha;
    context.lineWidth = wide;
    context.setLineDash(dashed > 0 ? [5, 3] : []);
    context.beginPath();
    context.moveTo(x, y);
    context.bezierCurveTo(x + bend, y, toX - bend, toY, toX, toY);
    context.stroke();
  }
  context.globalAlpha = 1;
}
