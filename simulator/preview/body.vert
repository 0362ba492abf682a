#version 410 core
// One vertex of one body; everything that changes with time comes from the body table (table.py).

layout(location = 0) in vec3 position;  // part frame, metres
layout(location = 1) in vec3 normal;    // zero: flat
layout(location = 2) in vec3 colour;    // linear RGB, materials that are per_vertex
layout(location = 3) in float body;     // row of the table

uniform samplerBuffer table;
uniform mat4 clip_from_world;
uniform vec4 axis_from_world;  // row of camera_from_world that gives the depth along the camera axis

out vec3 v_world;
out vec3 v_part;
out vec3 v_normal;
out vec3 v_colour;
out float v_depth;
flat out int v_row;

void main() {
    v_row = int(body) * ROW_TEXELS;
    vec4 x = texelFetch(table, v_row), y = texelFetch(table, v_row + 1), z = texelFetch(table, v_row + 2);
    vec4 local = vec4(position, 1.0);
    v_world = vec3(dot(x, local), dot(y, local), dot(z, local));
    // cofactors of the matrix turn normals rightly under any scale
    vec3 a = cross(y.xyz, z.xyz), b = cross(z.xyz, x.xyz), c = cross(x.xyz, y.xyz);
    v_normal = vec3(dot(a, normal), dot(b, normal), dot(c, normal));
    v_part = position;
    v_colour = colour;
    v_depth = dot(axis_from_world, vec4(v_world, 1.0));
    gl_Position = clip_from_world * vec4(v_world, 1.0);
}
