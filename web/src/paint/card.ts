/** A graphics card, through WebGL2: whether there is one, and what every picture by it begins with. */

import type { Lamp } from "../lib/address";
import { PAPER } from "../lib/colour";

type GL = WebGL2RenderingContext;

/** On a canvas that nobody has painted on, by the card if there is one, else plainly; `asked`: "canvas" or "webgl2" whatever there is. A
 * card that is only imitated, as in a browser without one, costs more than none. */
export function painting<Found>(
  canvas: HTMLCanvasElement,
  asked: string | null,
  card: (canvas: HTMLCanvasElement) => Found | null,
  plain: (canvas: HTMLCanvasElement) => Found | null,
): Found {
  const fast = asked === "webgl2" || (asked !== "canvas" && !imitated()) ? card(canvas) : null;
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

/** What is made of a canvas's card; null where it has none, or one that can't. */
export function carded<Found>(canvas: HTMLCanvasElement, make: (gl: GL) => Found): Found | null {
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
  if (gl === null) return null;
  try {
    return make(gl);
  } catch {
    return null;
  }
}

/** Paper, on which what comes lies over what was there. */
export function blank(gl: GL, lamp: Lamp): void {
  gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
  gl.clearColor(...PAPER[lamp], 1);
  gl.clear(gl.COLOR_BUFFER_BIT);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
}

export function program(gl: GL, source: { vertex: string; fragment: string }, inputs: string[]): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, text] of [
    [gl.VERTEX_SHADER, source.vertex],
    [gl.FRAGMENT_SHADER, source.fragment],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) throw new Error("no shader could be made");
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  inputs.forEach((name, place) => gl.bindAttribLocation(made, place, name));
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "it does not link");
  return made;
}

export function buffer(gl: GL, data: Float32Array<ArrayBuffer>): WebGLBuffer {
  const made = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, made);
  gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  return made;
}

/** Clamped at its edges: a picture that repeats shows its last row before its first. */
export function texture(gl: GL, filter: number): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  for (const way of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, way, filter);
  return made;
}
