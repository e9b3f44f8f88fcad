/** As many pixels as the screen has, within reason: what is painted without a graphics card takes time. */
export function fit(canvas: HTMLCanvasElement, seen: { width: number; height: number }, pixels: number): void {
  const width = Math.max(1, Math.round(seen.width * pixels));
  const height = Math.max(1, Math.round(seen.height * pixels));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
