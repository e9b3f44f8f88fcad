/** A canvas that a painter of its own paints whenever what is to be seen changes. */

interface Paints<Picture> {
  name: string;
  paint(picture: Picture, pixels: number): void;
}

/** Made while a component is; the component binds its canvas to `canvas`, within `{#key lives}`. */
export class Painting<Picture, Painter extends Paints<Picture>> {
  canvas: HTMLCanvasElement | undefined = $state();
  /** How often another canvas took the place of one whose card was taken away: that gives no second picture. */
  lives = $state(0);
  broken = $state("");
  painter: Painter | null = null;

  /** `said`: what the canvas tells of its picture, for tests. */
  constructor(
    painter: (canvas: HTMLCanvasElement, asked: string | null) => Painter,
    picture: () => Picture | null,
    said: () => Record<string, unknown>,
  ) {
    const asked = new URLSearchParams(location.search).get("painter");
    $effect(() => {
      const on = this.canvas;
      if (on === undefined) return;
      try {
        this.painter = painter(on, asked);
      } catch (error) {
        this.broken = String(error instanceof Error ? error.message : error);
      }
      const lost = (): void => void setTimeout(() => (this.lives += 1), 100);
      on.addEventListener("webglcontextlost", lost);
      return () => {
        on.removeEventListener("webglcontextlost", lost);
        this.painter = null;
      };
    });
    $effect(() => {
      const [shown, on, told] = [picture(), this.canvas, said()];
      if (shown === null || on === undefined) return;
      const frame = requestAnimationFrame(() => {
        this.painter?.paint(shown, Math.min(2, devicePixelRatio || 1));
        Object.assign(on.dataset, { ...told, painter: this.painter?.name, at: performance.now().toFixed(1) });
      });
      return () => cancelAnimationFrame(frame);
    });
  }
}
