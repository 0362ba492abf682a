#version 410 core
// One triangle over the whole picture, behind everything; no buffers.

out vec2 v_at;

void main() {
    v_at = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    gl_Position = vec4(2.0 * v_at - 1.0, 1.0, 1.0);
}
