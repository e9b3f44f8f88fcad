/** The painter of the graphics card. Ribbons' dyes are gathered apart and laid over the cells at once, so that a crowd of
 * ribbons is as deep as its dye, never black. */

import type { Scene, Slab } from "../lib/scene";
import { blank, buffer, carded, program, texture } from "./card";
import { fit } from "./fit";
import type { Painter } from "./painter";
import { CELLS, DYES } from "./shaders";
import { strokes, type Field } from "./strokes";

const DOT = { bright: [0.35, 0.37, 0.4], dark: [0.42, 0.46, 0.5] } as const;

export function webgl(canvas: HTMLCanvasElement): Painter | null {
  return carded(canvas, (gl) => new Card(canvas, gl));
}

class Card implements Painter {
  readonly name = "webgl2";
  private readonly cells: WebGLProgram;
  private readonly dyes: WebGLProgram;
  private readonly square: WebGLBuffer;
  private readonly corners: WebGLVertexArrayObject;
  private readonly picture: WebGLTexture;
  private readonly depths: WebGLTexture;
  private field: Field | null = null;
  private size = "";

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
  ) {
    this.cells = program(gl, CELLS, ["corner"]);
    this.dyes = program(gl, DYES, ["corner"]);
    this.square = buffer(gl, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]));
    this.corners = gl.createVertexArray();
    gl.bindVertexArray(this.corners);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.square);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 8, 0);
    this.picture = texture(gl, gl.NEAREST);
    this.depths = texture(gl, gl.NEAREST);
  }

  paint(scene: Scene, pixels: number): void {
    const { gl, canvas } = this;
    if (gl.isContextLost()) return;
    fit(canvas, scene, pixels);
    blank(gl, scene.lamp);
    gl.bindVertexArray(this.corners);
    for (const slab of scene.slabs) this.slab(slab, scene, pixels);
    this.field = strokes(scene, pixels, canvas.width, canvas.height, this.field);
    if (this.field.bottom > this.field.top) this.laid(scene, this.field);
  }

  end(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  /** The texture that ribbons go through, and of it only the rows on which there are any. */
  private filled({ width, height, data, top, bottom }: Field): void {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.depths);
    if (this.size !== `${width}x${height}`) {
      this.size = `${width}x${height}`;
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    }
    const rows = new Uint8Array(data.buffer, 4 * width * top, 4 * width * (bottom - top));
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, top, width, bottom - top, gl.RGBA, gl.UNSIGNED_BYTE, rows);
  }

  private slab({ slide, pixels: picture, gap }: Slab, scene: Scene, pixels: number): void {
    const { gl } = this;
    gl.useProgram(this.cells);
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

  private laid(scene: Scene, field: Field): void {
    const { gl } = this;
    gl.useProgram(this.dyes);
    this.filled(field);
    const bright = scene.lamp === "bright";
    ["first", "second", "third"].forEach((name, place) =>
      this.vector(this.dyes, name, scene.inks[place] ?? (bright ? [1, 1, 1] : [0, 0, 0])),
    );
    this.vector(this.dyes, "rows", [field.top / field.height, field.bottom / field.height]);
    for (const [name, value] of Object.entries({ bright, mixed: scene.mixed, height: field.height }))
      gl.uniform1i(gl.getUniformLocation(this.dyes, name), Number(value));
    if (!scene.mixed) gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    else if (bright) gl.blendFunc(gl.DST_COLOR, gl.ZERO);
    else gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_COLOR);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
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
