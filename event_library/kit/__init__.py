"""Builders that event types share: written once here, so that glass looks like glass everywhere.

Conventions. SI, z up, `place` = metres in the event's frame. A builder takes a `name` and returns one Part or a tuple
of Parts named `{name}` or `{name}_wall`, `{name}_rim` ...; what moves has a partner `..._channels(name, ...)` that
returns `{part name: channels}` to merge into the event's ChannelMap. Static Parts are built at `place`; moving ones
are built at the origin and must be placed by their channels on EVERY frame. Vertex counts never depend on lengths or
levels. `facing="front"` looks towards -y (the viewer), `facing="up"` lies on its back.

    def assembly(self):
        return Assembly((*vessels.glass("jar", R, H), vessels.liquid_column("water", R, H)))
    def channels(self, state):
        return vessels.column_channels("water", state["h"], H, (0, 0, vessels.FLOOR_M))

palette   materials WATER GLASS STEEL BRASS WOOD BOARD INK DARK SAND SOIL LEAF WAX ...; colours RED BLUE ... HUES
          paint(rgb, glow=)  liquid(rgb)  hue(share)  ramp(values, stops, knots) -> colours  blend(a, b, share)
shapes    placed(mesh, place, facing)  turned(mesh, axis, angle, about)  at(x, y, z) -> array for channels
          solid_of_revolution(profile, exact=)  cone  ellipsoid  capsule  swept(points, radii)  rod  beam  arrow
          extruded(outline, thick, flat=)  extruded_ring  circle  bezier  along(path, lengths)  length_m  resampled
faces     grid_faces  fan_faces  tube_faces  disc_faces  bar_faces  repeated: triangles between rows and rings
vessels   glass (tumbler, jar, beaker, cylinder)  square_tank  graduations (level marks)  dish  funnel
          turned_vessel(profile) with cone_profile flask_profile round_flask_profile bottle_profile bowl_profile
          liquid_column / liquid_box + column_channels (level)      exact volume, straight vessels
          liquid_in + liquid_in_channels (level in a profile)       exact volume, turned vessels
          profile_volume_m3(profile, level) <-> profile_level_m(profile, volume)
          sloshing_box + sloshing_channels (surface heights)  liquid_in_hose + liquid_in_hose_channels
streams   jet + falling_jet_channels / parabolic_jet_channels  flight_s  splash + splash_channels  tap  spout
          syringe_needle  drop + drop_channels  fallen_m(time)  balls + balls_channels (bubbles, drops, rain)
          rising_places(num, time, ...) -> places, sizes  puffs + puffs_channels (steam, smoke)
copies    copies(name, mesh, positions, ...) + copies_channels (positions, rotations, scales; 0 hides)  copies_colours
          grain(radius, num)  copy_centres  nearest_copies (visible points -> copy)  packed_positions (heap)
          scattered_positions  quaternions_about  quaternions_times  rotation_matrices  random_quaternions
boards    Grid(rows, columns, size, place, facing): centres_m, cells_of(points), cell_means(points, values)
          tiles(raised=) + tiles_channels(rgb [rows, columns, 3], heights)  tile_names  base_board  frame  grid_lines
          field_board + field_board_channels (smooth, one vertex per cell)  Disc + field_disc + field_disc_channels
          sampled(field, size, nodes): bilinear
dials     dial (gauge)  clock_face  hand + hand_channels  dial_arc (red zone)  hand_angle_rad(points)  clockwise_rad
          thermometer + thermometer_channels  bar_gauge + bar_gauge_channels  scale_marks  floor_marks  banded_staff
          protractor
digits    seven_segments + seven_segments_channels(text or number)  read_display(colours seen) -> text
          lamp_row + lamp_row_channels  label (static lettering)  text_mesh (5 x 7 letters and digits)
flames    flame + flame_lamp + flame_channels  fire (camp fire)  flames + flames_channels (many)  ember + ember_channels
          blackbody_rgb(kelvin)  blackbody_strength(kelvin)  hot_material + glow_channels  smoke + smoke_channels
heaps     cap + cap_channels (drop, dome)  cap_volume_m3  cap_size_m(volume, contact angle)  puddle + puddle_channels
          sand_cone + sand_cone_channels(volume, repose)  sand_cone_size_m  ground + ground_channels (height field)
          rounded_box  melting_block + melting_block_channels (ice)            all exact volumes
sheets    sheet + sheet_channels (grid of points, colours)  flat_points  flag_points  strip + strip_channels (band along
          a path)  arc_path_m (curling)  petal (mesh: leaves, petals)
fields    noise(points, size, seed)  ragged_distance_m  front_share (arrival fronts)
          spread_over (threshold for a cover)  mixed(rgb, rgb, share) -> colours
furniture board  plate  tray  table  steps  post  gantry  retort_stand  a_frame  ramp + ramp_point_m
          button + button_channels
          conveyor + conveyor_channels  lid + lid_channels  door + door_channels  screw  candle + candle_channels
          bulb + bulb_channels (with its Lamp)
machinery gear + meshing_rad  pulley  spoked_wheel  cart_wheel + marked_wheel_channels (wheel and painted mark)
          lever + wheel_channels (anything that turns about y)
          link + link_channels (between two points; also for levers and arrows)  spring + spring_channels
          rope + rope_channels  catenary_m  over_pulley_m (paths)  weight  piston
"""
