/** Two programs: cells of a slide, and ribbons' dyes laid over the picture. Positions are CSS pixels, y down. */

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

/** Ribbons: how deep each of up to three dyes lies, as what it takes from the light (bright) or gives (dark); or colours as they are. */
export const DYES = {
  vertex: `#version 300 es
uniform vec2 rows;
in vec2 corner;
void main() { gl_Position = vec4(corner.x * 2.0 - 1.0, 1.0 - 2.0 * mix(rows.x, rows.y, corner.y), 0.0, 1.0); }`,
  fragment: `#version 300 es
precision highp float;
uniform sampler2D depths;
uniform vec3 first, second, third;
uniform bool bright, mixed;
uniform int height;
out vec4 light;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec4 found = texelFetch(depths, ivec2(at.x, height - 1 - at.y), 0);
  if (found == vec4(0.0)) discard;
  light = found;
  if (!mixed) return;
  vec3 depth = found.rgb;
  vec3 left = bright
    ? mix(vec3(1.0), first, depth.r) * mix(vec3(1.0), second, depth.g) * mix(vec3(1.0), third, depth.b)
    : (1.0 - first * depth.r) * (1.0 - second * depth.g) * (1.0 - third * depth.b);
  light = vec4(bright ? left : 1.0 - left, 1.0);
}`,
};
