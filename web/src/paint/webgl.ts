/** The painter of the graphics card. Ribbons' dyes are gathered apart and laid over the cells at once, so that a crowd of
 * ribbons is as deep as its dye, never black. */

import { PAPER } from "../lib/colour";
import { STRIDE, type Scene, type Slab } from "../lib/scene";
import { fit, type Painter } from "./painter";
import { CELLS, DYES, RIBBONS } from "./shaders";

const STEPS = 14;
const DOT = { bright: [0.35, 0.37, 0.4], dark: [0.42, 0.46, 0.5] } as const;

export function webgl(canvas: HTMLCanvasElement): Painter | null {
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
  if (gl === null) return null;
  try {
    return new Card(canvas, gl);
  } catch {
    return null;
  }
}

class Card implements Painter {
  readonly name = "webgl2";
  private readonly cells: WebGLProgram;
  private readonly ribbons: WebGLProgram;
  private readonly dyes: WebGLProgram;
  private readonly square: WebGLBuffer;
  private readonly strip: WebGLBuffer;
  private readonly strokes: WebGLBuffer;
  private readonly field: WebGLVertexArrayObject;
  private readonly curves: WebGLVertexArrayObject;
  private readonly picture: WebGLTexture;
  private readonly depths: WebGLTexture;
  private readonly apart: WebGLFramebuffer;
  private size = "";

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
  ) {
    this.cells = program(gl, CELLS, ["corner"]);
    this.ribbons = program(gl, RIBBONS, ["step", "ends", "wide", "dye", "kind"]);
    this.dyes = program(gl, DYES, ["corner"]);
    this.square = buffer(gl, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]));
    const along = Array.from({ length: STEPS + 1 }, (_, i) => [i / STEPS, -1, i / STEPS, 1]).flat();
    this.strip = buffer(gl, new Float32Array(along));
    this.strokes = buffer(gl, new Float32Array(0));
    this.field = gl.createVertexArray();
    gl.bindVertexArray(this.field);
    this.read(this.square, 0, 2, 8, 0, 0);
    this.curves = gl.createVertexArray();
    gl.bindVertexArray(this.curves);
    this.read(this.strip, 0, 2, 8, 0, 0);
    let at = 0;
    [4, 2, 3, 2].forEach((count, place) => {
      this.read(this.strokes, place + 1, count, STRIDE * 4, at * 4, 1);
      at += count;
    });
    this.picture = texture(gl, gl.NEAREST);
    this.depths = texture(gl, gl.NEAREST);
    this.apart = gl.createFramebuffer();
  }

  paint(scene: Scene, pixels: number): void {
    const { gl, canvas } = this;
    if (gl.isContextLost()) return;
    fit(canvas, scene, pixels);
    this.sized();
    const count = scene.ribbons.length / STRIDE;
    if (count > 0 && scene.mixed) {
      this.only(scene, pixels);
      gl.bindFramebuffer(gl.FRAMEBUFFER, this.apart);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_COLOR);
      this.strokesOf(scene, count, pixels);
      gl.disable(gl.SCISSOR_TEST);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...PAPER[scene.lamp], 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    for (const slab of scene.slabs) this.slab(slab, scene, pixels);
    if (count > 0 && scene.mixed) {
      this.only(scene, pixels);
      this.laid(scene);
      gl.disable(gl.SCISSOR_TEST);
    } else if (count > 0) this.strokesOf(scene, count, pixels);
  }

  end(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  /** Only where ribbons are: the rest of the picture stays as it is. */
  private only({ ribbons, height }: Scene, pixels: number): void {
    const [xs, ys] = [0, 1].map((way) => {
      let [least, most] = [Infinity, -Infinity];
      for (let at = way; at < ribbons.length; at += STRIDE) {
        least = Math.min(least, ribbons[at] as number, ribbons[at + 2] as number);
        most = Math.max(most, ribbons[at] as number, ribbons[at + 2] as number);
      }
      return [Math.floor(least - 4), Math.ceil(most + 4)] as const;
    }) as [readonly [number, number], readonly [number, number]];
    const scaled = [xs[0], height - ys[1], xs[1] - xs[0], ys[1] - ys[0]].map((v) => Math.round(v * pixels));
    this.gl.enable(this.gl.SCISSOR_TEST);
    this.gl.scissor(...(scaled as [number, number, number, number]));
  }

  private sized(): void {
    const { gl, canvas } = this;
    const size = `${canvas.width}x${canvas.height}`;
    if (size === this.size) return;
    this.size = size;
    gl.bindTexture(gl.TEXTURE_2D, this.depths);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, canvas.width, canvas.height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.apart);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.depths, 0);
  }

  private slab({ slide, pixels: picture, gap }: Slab, scene: Scene, pixels: number): void {
    const { gl } = this;
    gl.useProgram(this.cells);
    gl.bindVertexArray(this.field);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const { columns, rows } = slide;
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      gl.RGBA8,
      columns,
      rows,
      0,
      gl.RGBA,
      gl.UNSIGNED_BYTE,
      new Uint8Array(picture.buffer),
    );
    this.vector(this.cells, "size", [scene.width, scene.height]);
    this.vector(this.cells, "origin", slide.origin);
    this.vector(this.cells, "across", slide.across);
    this.vector(this.cells, "down", slide.down);
    this.vector(this.cells, "count", [columns, rows]);
    this.vector(this.cells, "dot", DOT[scene.lamp]);
    this.number(this.cells, "gap", gap);
    this.number(this.cells, "side", slide.side);
    this.number(this.cells, "fine", pixels);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  private strokesOf(scene: Scene, count: number, pixels: number): void {
    const { gl } = this;
    gl.useProgram(this.ribbons);
    gl.bindVertexArray(this.curves);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.strokes);
    gl.bufferData(gl.ARRAY_BUFFER, scene.ribbons, gl.DYNAMIC_DRAW);
    this.vector(this.ribbons, "size", [scene.width, scene.height]);
    this.number(this.ribbons, "fine", pixels);
    gl.uniform1i(gl.getUniformLocation(this.ribbons, "mixed"), scene.mixed ? 1 : 0);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 2 * (STEPS + 1), count);
  }

  private laid(scene: Scene): void {
    const { gl } = this;
    gl.useProgram(this.dyes);
    gl.bindVertexArray(this.field);
    gl.bindTexture(gl.TEXTURE_2D, this.depths);
    const bright = scene.lamp === "bright";
    ["first", "second", "third"].forEach((name, place) =>
      this.vector(this.dyes, name, scene.inks[place] ?? (bright ? [1, 1, 1] : [0, 0, 0])),
    );
    gl.uniform1i(gl.getUniformLocation(this.dyes, "bright"), bright ? 1 : 0);
    if (bright) gl.blendFunc(gl.DST_COLOR, gl.ZERO);
    else gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_COLOR);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  private read(from: WebGLBuffer, place: number, count: number, stride: number, at: number, each: number): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, from);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, count, gl.FLOAT, false, stride, at);
    gl.vertexAttribDivisor(place, each);
  }

  private vector(of: WebGLProgram, name: string, values: readonly number[]): void {
    const place = this.gl.getUniformLocation(of, name);
    if (values.length === 2) this.gl.uniform2fv(place, values);
    else this.gl.uniform3fv(place, values);
  }

  private number(of: WebGLProgram, name: string, value: number): void {
    this.gl.uniform1f(this.gl.getUniformLocation(of, name), value);
  }
}

function program(
  gl: WebGL2RenderingContext,
  source: { vertex: string; fragment: string },
  inputs: string[],
): WebGLProgram {
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

function buffer(gl: WebGL2RenderingContext, data: Float32Array<ArrayBuffer>): WebGLBuffer {
  const made = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, made);
  gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  return made;
}

/** Clamped at its edges: a picture that repeats shows its last row before its first. */
function texture(gl: WebGL2RenderingContext, filter: number): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  for (const way of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, way, filter);
  return made;
}
