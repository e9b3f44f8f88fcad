/** Points by the graphics card: one vertex each, coloured from a table; lines from where they were. */

import { PAPER } from "../lib/colour";
import { GAP, NONE, PALE, RING, stride, type Field } from "../lib/field";
import { blank, buffer, carded, program, texture } from "./card";
import { fit } from "./fit";
import type { PointPainter } from "./points";

const PLACED = `#version 300 es
uniform vec2 size;
uniform vec3 lens;
uniform sampler2D colours;
vec4 placed(vec2 place) {
  vec2 at = vec2(lens.x + place.x * lens.z, lens.y + (1.0 - place.y) * lens.z);
  return vec4(at.x / size.x * 2.0 - 1.0, 1.0 - at.y / size.y * 2.0, 0.0, 1.0);
}
vec3 colour(float ink) { return texelFetch(colours, ivec2(int(ink + 0.5), 0), 0).rgb; }
`;
const POINTS = {
  vertex: `${PLACED}
uniform vec3 paper;
uniform float across, fine, pale, gap, edge, pass;
uniform bool some;
in vec2 place;
in float ink, ring, gathered;
flat out vec3 inside, around;
flat out float wide, kept, room;
void main() {
  bool chosen = !some || gathered > 0.5;
  bool ringed = chosen && ring < ${NONE}.0;
  float own = chosen ? (ringed ? 2.0 : 1.0) : 0.0;
  inside = chosen ? colour(ink) : mix(paper, colour(ink), pale);
  around = ringed ? colour(ring) : inside;
  kept = across * fine;
  room = (across + gap) * fine;
  wide = (ringed ? across + edge : across) * fine;
  gl_PointSize = wide + 1.0;
  gl_Position = own == pass ? placed(place) : vec4(2.0, 2.0, 2.0, 1.0);
}`,
  fragment: `#version 300 es
precision highp float;
uniform vec3 paper;
flat in vec3 inside, around;
flat in float wide, kept, room;
out vec4 light;
void main() {
  float far = wide < 3.5 ? 0.0 : length(gl_PointCoord - 0.5) * (wide + 1.0);
  float cover = clamp(wide * 0.5 - far + 0.5, 0.0, 1.0);
  vec3 dot = wide == kept ? inside
    : mix(inside, mix(paper, around, clamp(far - room * 0.5 + 0.5, 0.0, 1.0)), clamp(far - kept * 0.5 + 0.5, 0.0, 1.0));
  light = vec4(dot, cover);
}`,
};
const TRAILS = {
  vertex: `${PLACED}
in vec2 place;
in float ink;
flat out vec3 dye;
void main() { dye = colour(ink); gl_Position = placed(place); }`,
  fragment: `#version 300 es
precision highp float;
flat in vec3 dye;
out vec4 light;
void main() { light = vec4(dye, 0.4); }`,
};

export function cardPoints(canvas: HTMLCanvasElement): PointPainter | null {
  return carded(canvas, (gl) => new Card(canvas, gl));
}

class Card implements PointPainter {
  readonly name = "webgl2";
  private readonly points: WebGLProgram;
  private readonly trails: WebGLProgram;
  private readonly field: WebGLVertexArrayObject;
  private readonly lines: WebGLVertexArrayObject;
  private readonly buffers = new Map<string, WebGLBuffer>();
  private readonly colours: WebGLTexture;
  private readonly order: WebGLBuffer;
  private ordered = -1;
  /** What each buffer was filled with: what has not changed is not sent again. */
  private readonly sent = new Map<string, unknown>();

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
  ) {
    this.points = program(gl, POINTS, ["place", "ink", "ring", "gathered"]);
    this.trails = program(gl, TRAILS, ["place", "ink"]);
    this.field = gl.createVertexArray();
    gl.bindVertexArray(this.field);
    this.input("places", 0, 2, gl.UNSIGNED_SHORT, true);
    for (const [place, name] of ["inks", "rings", "gathered"].entries())
      this.input(name, place + 1, 1, gl.UNSIGNED_BYTE, false);
    this.order = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    this.lines = gl.createVertexArray();
    gl.bindVertexArray(this.lines);
    this.input("ends", 0, 2, gl.UNSIGNED_SHORT, true);
    this.input("line inks", 1, 1, gl.UNSIGNED_BYTE, false);
    this.colours = texture(gl, gl.NEAREST);
  }

  paint(field: Field, pixels: number): void {
    const { gl, canvas } = this;
    if (gl.isContextLost()) return;
    const count = field.inks.length;
    fit(canvas, field, pixels);
    blank(gl, field.lamp);
    this.table(field);
    if (field.trails !== null) this.strokes(field);
    if (count === 0) return;
    gl.useProgram(this.points);
    gl.bindVertexArray(this.field);
    this.send("places", field.places);
    this.send("inks", field.inks);
    this.send("rings", field.rings ?? new Uint8Array(count).fill(NONE), field.rings ?? `none of ${count}`);
    this.send("gathered", field.gathered ?? new Uint8Array(count), field.gathered ?? `none of ${count}`);
    this.arrange(count);
    this.common(this.points, field);
    const set = (name: string, value: number): void => gl.uniform1f(gl.getUniformLocation(this.points, name), value);
    gl.uniform3fv(gl.getUniformLocation(this.points, "paper"), PAPER[field.lamp]);
    for (const [name, value] of [
      ["across", field.size],
      ["fine", pixels],
      ["pale", PALE],
      ["gap", GAP],
      ["edge", RING],
    ] as const)
      set(name, value);
    gl.uniform1i(gl.getUniformLocation(this.points, "some"), field.gathered === null ? 0 : 1);
    for (const pass of [0, 1, 2]) {
      if ((pass === 0 && field.gathered === null) || (pass === 2 && field.rings === null)) continue;
      set("pass", pass);
      gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, 0);
    }
  }

  private strokes(field: Field): void {
    const { gl } = this;
    const { trails, places, inks } = field;
    if (trails === null) return;
    const count = trails.which?.length ?? inks.length;
    const ends = new Uint16Array(4 * count);
    const dyes = new Uint8Array(2 * count);
    for (let k = 0; k < count; k++) {
      const i = trails.which?.[k] ?? k;
      ends.set(trails.from.subarray(2 * i, 2 * i + 2), 4 * k);
      ends.set(places.subarray(2 * i, 2 * i + 2), 4 * k + 2);
      dyes.fill(inks[i] as number, 2 * k, 2 * k + 2);
    }
    gl.useProgram(this.trails);
    gl.bindVertexArray(this.lines);
    this.send("ends", ends);
    this.send("line inks", dyes);
    this.common(this.trails, field);
    gl.drawArrays(gl.LINES, 0, 2 * count);
  }

  private common(of: WebGLProgram, { width, height, lens }: Field): void {
    const { gl } = this;
    gl.uniform2f(gl.getUniformLocation(of, "size"), width, height);
    gl.uniform3f(gl.getUniformLocation(of, "lens"), lens.x, lens.y, lens.scale);
  }

  private table({ colours }: Field): void {
    const { gl } = this;
    const bytes = new Uint8Array(4 * 256);
    colours.forEach((light, k) =>
      bytes.set([...light.map((v) => Math.round(255 * Math.min(1, Math.max(0, v)))), 255], 4 * k),
    );
    gl.bindTexture(gl.TEXTURE_2D, this.colours);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  }

  private arrange(count: number): void {
    if (count === this.ordered) return;
    const step = stride(count);
    const order = new Uint32Array(count);
    for (let k = 0, i = 0; k < count; k++, i = (i + step) % count) order[k] = i;
    this.gl.bindBuffer(this.gl.ELEMENT_ARRAY_BUFFER, this.order);
    this.gl.bufferData(this.gl.ELEMENT_ARRAY_BUFFER, order, this.gl.STATIC_DRAW);
    this.ordered = count;
  }

  private input(name: string, place: number, count: number, kind: number, share: boolean): void {
    const { gl } = this;
    this.buffers.set(name, buffer(gl, new Float32Array(0)));
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.get(name) as WebGLBuffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, count, kind, share, 0, 0);
  }

  private send(name: string, data: Uint16Array | Uint8Array, as: unknown = data): void {
    if (this.sent.get(name) === as) return;
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers.get(name) as WebGLBuffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, data, this.gl.DYNAMIC_DRAW);
    this.sent.set(name, as);
  }
}
