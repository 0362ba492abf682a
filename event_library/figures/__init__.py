"""Bodies for event types: people, animals, vehicles, robots, plants, buildings. Only numpy and trimesh, no randomness.

How it is meant. `thing(name, size, ...) -> tuple[Part, ...]` builds parts named f"{name}_torso" ...; put them into
the Assembly. `thing_channels(name, same size, at_m, heading_rad, phase, ...) -> dict[part name, channels]` poses ALL of
them: merge it into what `channels` returns, on every frame (parts of moving figures are built about their joints).
z up, feet on z = 0, facing +x at heading 0 (counter-clockwise from above), linear RGB, metres, radians.
`carries=False` for a figure that is scenery. Frozen into scenery without channels: `rig.baked(parts, channels)`; to move static parts somewhere at build time: `rig.set_down(parts, at_m, heading_rad)`.
A gait takes `stride_phase` = travelled way / thing_stride_m(size) (None: stands still): the feet then never slide.

people      person(name, height_m, look=LOOKS[0..5]); person_channels(..., running, sitting, arm_raise_rad, hands_m,
            head_yaw_rad, lean_rad, pitch_rad); stride_length_m, seat_height_m, hand_m(channels, name, side)
animals     cat, dog (running, sitting, head_yaw_rad, tail_phase), mouse, ant (ant_load_m: where it carries), beetle
            (wing_open_rad), bee (at_m: middle of the body in the air; wing_phase), caterpillar, snail (hidden_share),
            bird (wing_phase None: folded; peck_rad), fish (swim_phase; at_m: middle), monkey (two hinged arms,
            monkey_hand_m); strides: cat_stride_m, mouse_stride_m, insect_stride_m, caterpillar_stride_m
rig         frame(at_m, heading_rad, pitch_rad, roll_rad) -> 4x4; shifted, turned; placed / sized / shaped (channels of
            a rigid, scaled, deforming part at a 4x4); moved_by (points through a 4x4); baked, set_down; ellipsoid,
            cone, slab (thin plate of an outline), leaf_outline, lathe_along, sweep_mesh (rounded tube of varying
            radius; `sweep` gives new vertices of the same count for a Vertices channel), curve (Bezier),
            middle_joint_m (two-bone inverse kinematics), limb_line, limb_radii, foot_path (gait), matter, glow
"""
