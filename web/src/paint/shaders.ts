/** Three programs: cells of a slide, ribbons, and ribbons' dyes laid over the picture. Positions are CSS pixels, y down. */

const PLACE = `
uniform vec2 size;
vec4 placed(vec2 at) { return vec4(at.x / size.x * 2.0 - 1.0, 1.0 - at.y / size.y * 2.0, 0.0, 1.0); }
`;

export const CELLS = {
  vertex: `#version 300 es
${PLACE}
uniform vec2 origin, across, down, count;
in vec2 corner;
out vec2 cell;
void main() {
  cell = corner * count;
  gl_Position = placed(origin + cell.x * across + cell.y * down);
}`,
  fragment: `#version 300 es
precision highp float;
uniform sampler2D cells;
uniform vec2 count;
uniform float gap, side, fine;
uniform vec3 dot;
in vec2 cell;
out vec4 light;
void main() {
  vec2 place = min(floor(cell), count - 1.0);
  vec4 found = texelFetch(cells, ivec2(place), 0);
  vec2 inside = cell - place;
  if (found.a > 0.5) {
    vec2 edge = min(inside, 1.0 - inside) - gap * 0.5;
    float near = gap > 0.0 ? clamp(min(edge.x, edge.y) * side * fine + 0.5, 0.0, 1.0) : 1.0;
    light = vec4(found.rgb, near);
  } else if (found.a > 0.0) {
    float radius = clamp(0.08 * side, 0.5, 1.8);
    light = vec4(dot, clamp((radius - length(inside - 0.5) * side) * fine + 0.5, 0.0, 1.0));
  } else discard;
}`,
};

/** A strip along a curve that leaves and arrives level; `aside` fades out softly over the last pixel. */
export const RIBBONS = {
  vertex: `#version 300 es
${PLACE}
uniform float fine;
in vec2 step;
in vec4 ends;
in vec2 wide;
in vec3 dye;
in vec2 kind;
out float aside, along;
flat out vec3 ink;
flat out float half_width, alpha;
flat out vec2 what;
void main() {
  vec2 p = ends.xy, q = ends.zw, bend = vec2(0.55 * (q.x - p.x), 0.0);
  float t = step.x, u = 1.0 - t;
  vec2 at = u*u*u*p + 3.0*u*u*t*(p + bend) + 3.0*u*t*t*(q - bend) + t*t*t*q;
  vec2 way = 3.0*u*u*bend + 6.0*u*t*(q - p - 2.0*bend) + 3.0*t*t*bend;
  vec2 normal = normalize(vec2(-way.y, way.x) + vec2(0.0, 1e-6));
  half_width = max(wide.x, 1.0 / fine) * 0.5;
  float reach = half_width + 0.75 / fine;
  aside = step.y * reach;
  along = t * distance(p, q) * 1.1;
  alpha = wide.y * min(1.0, wide.x * fine);
  ink = dye;
  what = kind;
  gl_Position = placed(at + normal * aside);
}`,
  fragment: `#version 300 es
precision highp float;
uniform float fine;
uniform bool mixed;
in float aside, along;
flat in vec3 ink;
flat in float half_width, alpha;
flat in vec2 what;
out vec4 light;
void main() {
  float cover = clamp((half_width - abs(aside)) * fine + 0.5, 0.0, 1.0) * alpha;
  if (what.x > 0.5) cover *= smoothstep(0.34, 0.30, abs(fract(along / 8.0) - 0.5));
  if (mixed) light = vec4(what.y < 0.5 ? cover : 0.0, what.y > 0.5 && what.y < 1.5 ? cover : 0.0, what.y > 1.5 ? cover : 0.0, 1.0);
  else light = vec4(ink, cover);
}`,
};

/** How deep each of up to three dyes lies, as what it takes from the light (bright) or gives (dark). */
export const DYES = {
  vertex: `#version 300 es
in vec2 corner;
out vec2 at;
void main() { at = corner; gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0); }`,
  fragment: `#version 300 es
precision highp float;
uniform sampler2D depths;
uniform vec3 first, second, third;
uniform bool bright;
in vec2 at;
out vec4 light;
void main() {
  vec3 depth = texture(depths, at).rgb;
  if (depth == vec3(0.0)) discard;
  vec3 left = bright
    ? mix(vec3(1.0), first, depth.r) * mix(vec3(1.0), second, depth.g) * mix(vec3(1.0), third, depth.b)
    : (1.0 - first * depth.r) * (1.0 - second * depth.g) * (1.0 - third * depth.b);
  light = vec4(bright ? left : 1.0 - left, 1.0);
}`,
};
