#version 410 core
// Soft edges after the fact: FXAA as T. Lottes gave it away (NVIDIA, 2009), in its short form, on linear light.

in vec2 v_at;  // [0, 1]
uniform sampler2D picture;
uniform vec2 pixel;  // 1 / size
layout(location = 0) out vec4 light;

float luma(vec3 rgb) {
    return sqrt(dot(rgb, vec3(0.3, 0.59, 0.11)));  // near what the eye sees of linear light
}

vec3 at(vec2 offset) {
    return textureLod(picture, v_at + offset * pixel, 0.0).rgb;
}

void main() {
    vec3 here = at(vec2(0.0));
    float nw = luma(at(vec2(-1.0, -1.0))), ne = luma(at(vec2(1.0, -1.0)));
    float sw = luma(at(vec2(-1.0, 1.0))), se = luma(at(vec2(1.0, 1.0))), m = luma(here);
    float low = min(m, min(min(nw, ne), min(sw, se))), high = max(m, max(max(nw, ne), max(sw, se)));
    vec2 along = vec2(sw + se - nw - ne, nw + sw - ne - se);
    float damp = max((nw + ne + sw + se) * 0.03125, 0.0078125);
    along = clamp(along / (min(abs(along.x), abs(along.y)) + damp), -8.0, 8.0);
    vec3 narrow = 0.5 * (at(along * (1.0 / 3.0 - 0.5)) + at(along * (2.0 / 3.0 - 0.5)));
    vec3 wide = 0.5 * narrow + 0.25 * (at(along * -0.5) + at(along * 0.5));
    float seen = luma(wide);
    vec3 soft = seen < low || seen > high ? narrow : wide;
    light = vec4(high - low < max(0.0312, high * 0.125) ? here : soft, 1.0);
}
