"""Bodies for event types: people, animals, vehicles, robots, plants, buildings. Only numpy and trimesh, no randomness.

How it is meant. `thing(name, size, ...) -> tuple[Part, ...]` builds parts named f"{name}_torso" ...; put them into the
Assembly. `thing_channels(name, same size, at_m, heading_rad, phase, ...) -> dict[part name, channels]` poses ALL of
them: merge it into what `channels` returns, on every frame (parts of moving figures are built about their joints, so
they are nowhere without channels). z up, feet on z = 0, facing +x at heading 0 (counter-clockwise seen from above),
linear RGB, metres, radians. `carries=False` makes a figure scenery. Frozen in a pose, without channels:
`rig.baked(parts, channels)`; static parts moved at build time: `rig.set_down(parts, at_m, heading_rad)`.
A gait takes `stride_phase` = travelled way / thing_stride_m(size), None to stand still: then no foot ever slides.
`Emission` of about 1 to 2 makes a window, lens or lamp shine; add a Lamp where it must light other things.

people      person(name, height_m, look=LOOKS[0..5]), person_channels(..., stride_phase, running, sitting,
            arm_raise_rad, hands_m, head_yaw_rad, head_pitch_rad, lean_rad, pitch_rad); stride_length_m,
            seat_height_m, hand_m(channels, name, side): where a hand is, for what it carries
animals     cat, dog (running, sitting, head_yaw_rad, tail_phase), mouse, ant (ant_load_m: what it carries), beetle
            (ladybird; wing_open_rad), bee (at_m: middle of the body in the air; wing_phase), caterpillar, snail
            (hidden_share), bird (wing_phase None: folded; peck_rad), fish (swim_phase; at_m: middle), monkey (two
            hinged arms, monkey_hand_m); cat_stride_m, mouse_stride_m, insect_stride_m, caterpillar_stride_m
vehicles    car, van (travelled_m, steer_rad, car_wheel_radius_m), wagon (open: also a cart), locomotive (travelled_m);
            wheel, wheel_frame (a wheel of your own), profile_body (bevelled body of constant side view)
craft       vacuum (robot vacuum cleaner), rocket (thrust_share: flame), boat (at_m: waterline), aeroplane
robots      robot_arm (target_m or angles_rad, half_gap_m), arm_angles_rad (inverse kinematics), arm_reaches; gantry
            (gripper under a rail); robot (wheeled, two arms: travelled_m, hands_m)
plants      pot, plant (growth, wilt_rad, sway_rad), flower (open_rad, growth, bend_rad, face_rad), sunflower
            (face_rad), seedling (growth), leaf_mesh
trees       tree (num_fruit, tree_fruit_m), conifer (both: tree_channels), grass, mushroom (growth), apple, banana
            (fruit_channels, which also moves any rigid group of parts)
buildings   static, built in place (at_m, heading_rad): house (one Part {name}_window_{k} per window), lighthouse
            (lighthouse_channels turns its beam, lighthouse_lamp_m), tower, street_lamp (street_lamp_light_m),
            traffic_light (traffic_light_channels(name, lit)); with a hinge: door_in_wall (door_channels), barrier
            (barrier_channels)
furniture   static: fence, bench, table, chair, stool, road, railway, rock(seed)
rig         frame(at_m, heading_rad, pitch_rad, roll_rad) -> 4x4; shifted, turned; placed / sized / shaped (channels of
            a rigid, scaled, deforming part at a 4x4); moved_by (points through a 4x4); baked, set_down; ellipsoid,
            cone, slab (thin plate of an outline), leaf_outline, lathe_along, sweep_mesh (rounded tube of varying
            radius; `sweep` gives new vertices of the same count for a Vertices channel), curve (Bezier),
            middle_joint_m (two-bone inverse kinematics), limb_line, limb_radii, foot_path (gait), matter, glow
"""
