#version 410 core
// Which body a pixel shows, and how far along the camera axis.

in float v_depth;
flat in int v_row;
uniform samplerBuffer table;
layout(location = 0) out vec2 instance_and_depth;

void main() {
    instance_and_depth = vec2(texelFetch(table, v_row + 5).w, v_depth);
}
