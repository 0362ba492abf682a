#version 410 core
// The open sky behind everything, after Blender's: measured for a sun at 47 degrees, in units of the mean of the dome.

in vec2 v_at;  // [0, 1]
uniform mat4 world_from_clip;
uniform vec3 eye;
uniform vec3 ambient;      // mean radiance of the dome, linear RGB
uniform vec3 towards_sun;  // zero: overcast
layout(location = 0) out vec4 light;

void main() {
    vec4 far = world_from_clip * vec4(2.0 * v_at - 1.0, 1.0, 1.0);
    vec3 direction = normalize(far.xyz / far.w - eye);
    float up = max(direction.z, 0.0);
    vec3 clear = mix(vec3(0.14, 0.18, 0.22), vec3(0.58, 0.50, 0.36), exp(-5.0 * up))
                 + vec3(0.8, 0.64, 0.44) * pow(max(dot(direction, towards_sun), 0.0), 8.0);
    float overcast = (3.0 + 6.0 * up) / 7.0;  // CIE: three times as bright overhead as at the horizon
    light = vec4(ambient * (towards_sun == vec3(0.0) ? vec3(overcast) : clear), 1.0);
}
