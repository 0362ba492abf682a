#version 410 core
// Materials under lamps, without bounces. Compiled twice: for solid bodies, and (CLEAR) for those that let what is
// behind them through by dual-source blending: picture = light + behind * what was there.

in vec3 v_world;
in vec3 v_part;
in vec3 v_normal;
in vec3 v_colour;
flat in int v_row;

uniform samplerBuffer table;
uniform vec3 eye;
uniform vec3 ambient;               // radiance of the surroundings, linear RGB
uniform vec4 lamps[3 * MAX_LAMPS];  // (position, size m), (direction or 0, 0), (W RGB / pi^2, 0)
uniform int num_lamps;

layout(location = 0, index = 0) out vec4 light;
#if CLEAR
layout(location = 0, index = 1) out vec4 behind;
#endif

const float PI = 3.14159265;

float hash(uvec3 p) {
    uint h = p.x * 1597334677u ^ p.y * 3812015801u ^ p.z * 2798796415u;
    h = (h ^ (h >> 15)) * 739982445u;
    return float((h ^ (h >> 12)) & 0xffffu) / 65535.0;
}

float noise(vec3 p) {  // smooth value noise, [0, 1]
    vec3 low = floor(p), f = p - low;
    f = f * f * (3.0 - 2.0 * f);
    uvec3 a = uvec3(ivec3(low)), b = a + 1u;
    vec4 near = vec4(hash(a), hash(uvec3(b.x, a.yz)), hash(uvec3(a.x, b.y, a.z)), hash(uvec3(b.xy, a.z)));
    vec4 far = vec4(hash(uvec3(a.xy, b.z)), hash(uvec3(b.x, a.y, b.z)), hash(uvec3(a.x, b.yz)), hash(b));
    vec4 across = mix(near, far, f.z);
    vec2 along = mix(across.xy, across.zw, f.y);
    return mix(along.x, along.y, f.x);
}

vec3 square_wave(vec3 x, vec3 width) {  // +-1 with period 2, averaged over `width`
    vec3 low = 1.0 - abs(2.0 * fract(0.5 * (x - 0.5 * width)) - 1.0);  // the wave's integral is a triangle
    vec3 high = 1.0 - abs(2.0 * fract(0.5 * (x + 0.5 * width)) - 1.0);
    return clamp((high - low) / width, -1.0, 1.0);
}

vec2 laid(vec3 p) {  // two coordinates in a face across x, y or z, as the materials of Blender take them
    vec3 normal = abs(normalize(cross(dFdx(p), dFdy(p)) + 1e-20));
    return vec2(normal.x > 0.75 ? p.y : p.x, normal.z > 0.6 ? p.y : p.z);
}

// Share of joints between pieces, courses shifted in turn; blur: how much of q one pixel covers.
float joints(vec2 q, vec2 blur, vec2 piece, float shift, float width) {
    q.x += shift * piece.x * mod(floor(q.y / piece.y), 2.0);
    vec2 off = abs(fract(q / piece + 0.5) - 0.5) * piece;
    vec2 open = smoothstep(width - blur, width + blur, off);
    return 1.0 - open.x * open.y;
}

float share_of_second(int pattern, float size, vec3 p) {  // of the pattern's own colour
    vec3 q = p / size, pixel = clamp(fwidth(q), 1e-3, 2.0);
    vec2 face = laid(p) / size, blur = 0.7 * fwidth(face) + 1e-5;
    float share = 0.0;
    // loops of no turn or one, since a software rasteriser runs both sides of an `if`
    for (int i = 0; i < int(pattern == PATTERN_CHECKER || pattern == PATTERN_STRIPES); i++) {
        bool checker = pattern == PATTERN_CHECKER;
        vec3 wave = square_wave(q + (checker ? vec3(0.0, 0.0, 0.5) : vec3(0.5, 0.0, 0.0)) + 1e-6, pixel);
        share = checker ? 0.5 + 0.5 * wave.x * wave.y * wave.z : 0.5 - 0.5 * wave.x;
    }
    for (int i = 0; i < int(pattern == PATTERN_WOOD || pattern == PATTERN_SPECKLE || pattern == PATTERN_GRASS); i++) {
        share = noise(pattern == PATTERN_WOOD ? q * vec3(0.6, 2.0, 2.0) : q);
        if (pattern == PATTERN_WOOD)
            share = 0.5 - 0.5 * cos(PI * q.y + 6.0 * share - 3.0);
        for (int j = 0; j < int(pattern == PATTERN_GRASS); j++)
            share = clamp(3.0 * (0.72 * share + 0.28 * noise(0.07 * q) - 0.34), 0.0, 1.0);
    }
    for (int i = 0; i < int(pattern == PATTERN_TILE || pattern == PATTERN_BRICK || pattern == PATTERN_FABRIC); i++) {
        if (pattern == PATTERN_FABRIC)
            share = clamp(3.0 * sin(PI * face.x) * sin(PI * face.y) + 0.5, 0.0, 1.0);
        else if (pattern == PATTERN_TILE)
            share = joints(face + 1.0 / 3.0, blur, vec2(1.0), 0.0, 0.028);
        else
            share = joints(face + 1.0 / 3.0, blur, vec2(1.0, 0.36), 0.5, 0.022);
    }
    return share;
}

float fifth(float x) {
    return x * x * x * x * x;
}

vec3 lit(vec3 base, float roughness, float metallic, vec3 normal, vec3 view) {
    vec3 mirror = mix(vec3(0.04), base, metallic), matt = base * (1.0 - metallic);
    float edge = fifth(1.0 - max(dot(normal, view), 0.0));
    vec3 sum = ambient * (matt * mix(AMBIENT_BELOW, AMBIENT_ABOVE, 0.5 + 0.5 * normal.z)
                          + AMBIENT_MIRROR * (mirror + (1.0 - roughness) * edge * (1.0 - mirror)));
    float shine = clamp(2.0 / (roughness * roughness * roughness * roughness + 0.005) - 2.0, 1.0, 400.0);
    for (int i = 0; i < num_lamps; i++) {
        vec4 at = lamps[3 * i];
        vec3 aim = lamps[3 * i + 1].xyz, reach = at.xyz - v_world;
        float squared = dot(reach, reach);
        vec3 to = reach * inversesqrt(squared + 1e-12);
        float facing = dot(aim, aim) > 0.0 ? max(-dot(aim, to), 0.0) : 0.25;
        float irradiance = facing * max(dot(normal, to), 0.0) / (squared + 0.25 * at.w * at.w);
        float glint = (shine + 2.0) / 8.0 * pow(max(dot(normal, normalize(to + view)), 0.0), shine);
        sum += lamps[3 * i + 2].rgb * irradiance * (matt + mirror * glint);
    }
    return sum;
}

void main() {
    vec4 base_and_opacity = texelFetch(table, v_row + 3);
    vec4 glow_and_roughness = texelFetch(table, v_row + 4);
    vec4 recipe = texelFetch(table, v_row + 6);  // kind (negative: per vertex), pattern, its size, metallic
    int kind = int(abs(recipe.x));
    vec3 base = recipe.x < 0.0 ? v_colour : base_and_opacity.rgb;
    vec3 glow = glow_and_roughness.rgb * (recipe.x < 0.0 ? v_colour : vec3(1.0));
    vec3 view = normalize(eye - v_world), flat_normal = cross(dFdx(v_world), dFdy(v_world));
    vec3 normal = dot(v_normal, v_normal) > 0.0 ? v_normal : flat_normal;
    normal /= max(length(normal), 1e-30);
    normal = dot(normal, view) < 0.0 ? -normal : normal;
#if CLEAR
    float edge = 1.0 - clamp(dot(normal, view), 0.0, 1.0), opacity = base_and_opacity.a;
    vec3 shaded = lit(base, glow_and_roughness.a, recipe.w, normal, view);
    float gloss = 0.75 * fifth(edge);
    if (kind == KIND_SHELL) {
        gloss += 0.06;
        behind.rgb = (1.0 - gloss) * base * mix(0.95, 0.5, edge);
        light.rgb = gloss * 0.8 * ambient;
    } else if (kind == KIND_LIQUID) {
        behind.rgb = (1.0 - gloss) * 0.55 * base;
        light.rgb = (1.0 - gloss) * 0.45 * shaded + gloss * 0.8 * ambient;
    } else if (kind == KIND_FLAME) {
        behind.rgb = vec3(edge * edge);
        light.rgb = (1.0 - edge * edge) * glow;
    } else if (kind == KIND_HAZE) {
        float solid = (1.0 - pow(edge, 0.7)) * opacity;
        behind.rgb = vec3(1.0 - solid);
        light.rgb = solid * shaded;
    } else {
        behind.rgb = vec3(1.0 - opacity);
        light.rgb = opacity * (shaded + glow);
    }
    behind.a = 1.0;
#else
    int pattern = int(recipe.y);
    vec3 second = texelFetch(table, v_row + 5).rgb;
    base = mix(base, second, pattern > 0 ? share_of_second(pattern, recipe.z, v_part) : 0.0);
    light.rgb = lit(base, glow_and_roughness.a, recipe.w, normal, view) + glow;
#endif
    light.a = 1.0;
}
