"""Weather: snow that piles up, fog that clears, the shadow of a cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Colour, Move, Power, Scale, VertexColours, Vertices, Visible
from event_library.families.light_environment.diorama import (
    LAWN,
    evenly,
    meshes_at_rest,
    shining,
    sky,
    sky_channels,
)
from event_library.figures.buildings import house
from event_library.figures.rig import set_down
from event_library.figures.trees import conifer
from event_library.figures.vehicles import car, car_channels
from event_library.kit.copies import copies, copies_channels
from event_library.kit.faces import bar_faces
from event_library.kit.palette import SNOW, WOOD
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part, Rgb
from event_library.readouts import linear_rgb, top_m
from event_library.taxonomy import facts

# side view of the car's upper side, front to back, in its lengths (figures.vehicles.car)
CAR_TOP = np.array([
    (0.49, 0.22), (0.44, 0.245), (0.21, 0.265), (0.06, 0.387), (0.02, 0.402), (-0.01, 0.402), (-0.21, 0.402),
    (-0.24, 0.402), (-0.29, 0.387), (-0.385, 0.268), (-0.44, 0.267), (-0.49, 0.242),
])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SnowAccumulating(Event):
    """Steady snowfall: depth d = rs tau on level faces, d n_z^2 on slopes, up to 0.4 m, when it stops.

    No drift, no settling; on a picket the cap is no higher than the picket is wide.
    """

    info = facts("snow_accumulating")
    variables = (
        state("d", "m", 0.015, flags="monotone bounded"),
        state("flurry", "ratio", 0.2, cycle=1.0, label="phase of the falling flakes"),
        readout("depth", "m", 0.015, min_delta=0.036, flags="monotone bounded", label="snow on the car's roof"),
    )
    accept_rules = (("snow grows by 1.8 to 5 cm/s", lambda e: 0.018 <= e.rise_m_per_s <= 0.05),)

    fall_m_per_h: float = param("rs", "m/h", 0.02, 0.05)
    rate_h_per_s: float = param("time_scale", "h/s", 0.7, 1.4)

    DEEPEST_M = 0.4
    CAR_M = 1.05
    PLACE = (0.0, -0.1, 0.0)
    YARD_M = (1.6, 1.0)
    FENCE_Y_M = 0.36
    PICKETS_X_M = np.linspace(-0.66, 0.66, 9)
    FENCE_M = 0.5
    NUM_FLAKES = 44
    FLAKE_M = 0.016

    @property
    def rise_m_per_s(self) -> float:
        return self.fall_m_per_h * self.rate_h_per_s

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        d = np.minimum(self.rise_m_per_s * t, self.DEEPEST_M)
        return {"d": d, "flurry": 0.9 * t % 1.0, "depth": d.copy()}

    def triggers(self) -> dict[str, float]:
        return {"snow_stops": self.DEEPEST_M / self.rise_m_per_s}

    def assembly(self) -> Assembly:
        x, y = self.YARD_M
        pickets = [parts.block((0.07, 0.04, self.FENCE_M), (px, self.FENCE_Y_M, 0)) for px in self.PICKETS_X_M]
        rails = [parts.block((1.5, 0.02, 0.05), (0, self.FENCE_Y_M + 0.03, z)) for z in (0.12, 0.34)]
        flake = parts.sphere(self.FLAKE_M, 1)
        return Assembly((
            Part("roof_snow", self._on_car(0.1), SNOW, carries=True, smooth_angle_deg=40),
            Part("ground_snow", parts.block((x, y, 1.0), (0, 0, 0.02)), SNOW, carries=True),
            Part("fence_snow", self._on_fence(0.1), SNOW, carries=True),
            *car("car", self.CAR_M),
            Part("fence", parts.join(*pickets, *rails), WOOD, carries=True),
            Part("yard", parts.block((x, y, 0.02), (0, 0, 0)), Material(rgb=(0.10, 0.16, 0.05), roughness=0.95)),
            copies("flakes", flake, self._flakes(0.0), SNOW, carries=False, smooth_angle_deg=180),
        ))  # fmt: skip

    def _on_car(self, depth_m: float) -> trimesh.Trimesh:
        """Closed cap on the car's upper side; slopes hold depth n_z^2."""
        top = CAR_TOP * self.CAR_M
        steps = np.diff(top, axis=0)
        level = steps[:, 0] ** 2 / (steps**2).sum(axis=1)  # n_z^2 of each face
        share = np.concatenate([level[:1], np.minimum(level[1:], level[:-1]), level[-1:]])
        # the roof's middle is level, whatever its edges do
        high = top[:, 1] + np.maximum(depth_m, 1e-5) * share
        num, w = len(top), 0.2 * self.CAR_M
        rows = [np.column_stack([top[:, 0], np.full(num, s * w), z]) for s, z in
                ((-1, top[:, 1]), (1, top[:, 1]), (1, high), (-1, high))]  # fmt: skip
        mesh = trimesh.Trimesh(np.vstack(rows), bar_faces(num), process=False)
        if mesh.volume < 0:
            mesh.invert()
        return parts.moved(mesh, self.PLACE[0], self.PLACE[1], self.PLACE[2] + 0.02)

    def _on_fence(self, depth_m: float) -> trimesh.Trimesh:
        high = min(max(depth_m, 1e-5), 0.07)
        return parts.join(
            *(parts.block((0.08, 0.05, high), (px, self.FENCE_Y_M, self.FENCE_M)) for px in self.PICKETS_X_M)
        )

    def _flakes(self, phase: float) -> Array:
        rng = np.random.Generator(np.random.PCG64(5))
        spot = rng.uniform(-0.5, 0.5, (self.NUM_FLAKES, 2)) * self.YARD_M
        fallen = (rng.uniform(0, 1, self.NUM_FLAKES) + phase) % 1.0
        return np.column_stack([spot + 0.02 * np.sin(9 * fallen)[:, None], 0.05 + 0.9 * (1 - fallen)])

    def channels(self, state: State) -> ChannelMap:
        d = float(state["d"])
        flake = parts.sphere(self.FLAKE_M, 1)
        x, y, z = self.PLACE
        snowing = Visible(d < self.DEEPEST_M)
        return {
            "roof_snow": (Vertices(np.asarray(self._on_car(d).vertices)),),
            "fence_snow": (Vertices(np.asarray(self._on_fence(d).vertices)),),
            "ground_snow": (Scale(at(1, 1, max(d, 1e-4))), Move(at(0, 0, 0.02 * (1 - max(d, 1e-4))))),
            **car_channels("car", self.CAR_M, (x, y, z + 0.02)),
            "flakes": (snowing, *copies_channels("flakes", flake, self._flakes(float(state["flurry"])))["flakes"]),
        }

    @property
    def roof_m(self) -> float:
        return float(CAR_TOP[:, 1].max()) * self.CAR_M + self.PLACE[2] + 0.02

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"d": float(meshes["roof_snow"].bounds[1, 2]) - self.roof_m}

    def measure(self, view: View) -> dict[str, float]:
        cap = top_m(view, "roof_snow") - self.roof_m
        if np.isnan(cap) and len(view.points_m["car_body"]):
            cap = 0.0
        return {"depth": max(cap, 0.0) if not np.isnan(cap) else cap}


@dataclass(frozen=True, kw_only=True)
class FogClearing(Event):
    """Extinction b = b0 exp(-t / tc); contrast exp(-b D) (Koschmieder 1924), seen from 2 % on: visibility 3.912 / b.

    Fog is painted on: each thing's colour is mixed with the fog's by the contrast at its distance. Model 1 : 30.
    """

    info = facts("fog_clearing")
    variables = (
        state("b", "1/m", 0.02, flags="monotone", label="extinction"),
        readout("visible_posts", "count", 1.0, min_delta=2.0, domain="count", flags="monotone bounded",
                label="posts within the visibility"),
        readout("contrast_30m", "frac", 0.1, flags="monotone", label="of the post at 30 m"),
    )  # fmt: skip

    start_per_m: float = param("b0", "1/m", 0.22, 0.45)
    clearing_s: float = param("tc", "s", 2.6, 4.0)

    NUM_POSTS = 10
    STEP_M = 6.0
    SCALE = 1 / 30
    FOG: Rgb = (0.40, 0.43, 0.46)
    DARK: Rgb = (0.03, 0.02, 0.02)
    FIRS = ((-0.62, 1.95), (-0.36, 2.05), (0.30, 2.1), (0.62, 2.0))

    def states(self, t_s: Array) -> dict[str, Array]:
        b = self.start_per_m * np.exp(-started(t_s) / self.clearing_s)
        posts = np.clip(np.floor(3.912 / np.maximum(b, 1e-9) / self.STEP_M), 0, self.NUM_POSTS)
        return {"b": b, "visible_posts": posts, "contrast_30m": np.exp(-30 * b)}

    def _post_x_m(self, k: int) -> float:
        return -0.62 + 1.24 * (k + 0.5) / self.NUM_POSTS

    def assembly(self) -> Assembly:
        posts = [
            shining(f"post_{k}", parts.block((0.075, 0.06, 0.44), (self._post_x_m(k), self._depth_m(k), 0.01)))
            for k in range(self.NUM_POSTS)
        ]
        firs = [
            shining(f"fir_{k}", parts.join(*(p.mesh for p in set_down(conifer("fir", 0.62), (x, y, 0.01)))))
            for k, (x, y) in enumerate(self.FIRS)
        ]
        return Assembly((
            *posts,
            *firs,
            sky("sky", 1.6, 0.85, (0, 2.25, 0.0), num_rows=2),
            self._ground(),
            Part("board", parts.block((1.64, 0.02, 0.87), (0, 2.262, 0)), WOOD),
        ))  # fmt: skip

    def _depth_m(self, k: int) -> float:
        return self.SCALE * self.STEP_M * (k + 1)

    def _ground(self) -> Part:
        """Strips across the line of sight, one a step, so that each can have the colour of its distance."""
        strips = [parts.moved(parts.box((1.6, self.SCALE * self.STEP_M, 0.01)), 0, y, 0.005) for y in self._strips_m()]
        return shining("ground", parts.join(*strips))

    def _strips_m(self) -> Array:
        return self.SCALE * self.STEP_M * np.arange(0, self.NUM_POSTS + 2)

    def channels(self, state: State) -> ChannelMap:
        b, meshes = float(state["b"]), meshes_at_rest(self)
        grass = (0.10, 0.22, 0.05)
        made: dict[str, tuple[Channel, ...]] = {}
        for k in range(self.NUM_POSTS):
            made |= evenly(f"post_{k}", meshes[f"post_{k}"], self._seen(self.DARK, self._depth_m(k), b))
        for k, (_, y) in enumerate(self.FIRS):
            made |= evenly(f"fir_{k}", meshes[f"fir_{k}"], self._seen((0.02, 0.10, 0.03), y, b))
        ground = np.array([self._seen(grass, y, b) for y in self._strips_m()])
        made["ground"] = (VertexColours(np.repeat(ground, 8, axis=0)),)
        return {**made, **sky_channels("sky", np.array(self.FOG), 2)}

    def _seen(self, rgb: Rgb, depth_m: float, b_per_m: float) -> Array:
        """Colour at a model's depth through fog of an extinction."""
        contrast = np.exp(-b_per_m * max(depth_m, 0.0) / self.SCALE)
        return np.asarray(rgb) * contrast + np.asarray(self.FOG) * (1 - contrast)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}  # only colours carry the fog

    def measure(self, view: View) -> dict[str, float]:
        """Extinction from the contrast of the front of those posts that stand out, weighted by how well it shows it."""
        fog = linear_rgb(view.rgb["sky"])
        if len(fog) < 20:
            return {"visible_posts": float("nan")}
        bright = float(np.median(fog.sum(axis=1)))
        full = 1 - sum(self.DARK) / sum(self.FOG)
        top = weight = 0.0
        for k in range(self.NUM_POSTS):
            points, rgb = view.points_m[f"post_{k}"], view.rgb[f"post_{k}"]
            front = linear_rgb(rgb[points[:, 1] < self._depth_m(k) - 0.026])
            if len(front) < 2:
                continue
            contrast = (1 - float(np.median(front.sum(axis=1))) / bright) / full
            if contrast < 0.1 and weight > 0:
                break  # what stands behind is fainter still
            contrast = min(max(contrast, 0.02), 0.99)
            w = (contrast * self.STEP_M * (k + 1)) ** 2
            top, weight = top - w * np.log(contrast) / (self.STEP_M * (k + 1)), weight + w
        if weight == 0:
            return {"visible_posts": float("nan")}
        b = top / weight
        count = min(float(np.floor(3.912 / max(b, 1e-6) / self.STEP_M)), self.NUM_POSTS)
        return {"visible_posts": count, "contrast_30m": float(np.exp(-30 * b))}


@dataclass(frozen=True, kw_only=True)
class CloudShadowCrossing(Event):
    """A band of shade [xe - Wc, xe] with xe = x0 + v t goes over a lawn 72 m long. Model 1 : 50.

    A house is as dark as the share of its front that lies in the band.
    """

    info = facts("cloud_shadow_crossing")
    variables = (
        state("xe", "m", 3.0, flags="monotone bounded"),
        readout(
            "edge_x", "m", 3.0, min_delta=10.0, flags="monotone bounded", label="leading edge from the lawn's left end"
        ),
        readout("shaded_houses", "count", 1.0, domain="count", label="houses with their middle in the shade"),
    )

    speed_m_per_s: float = param("v", "m/s", 5, 9)
    width_m: float = param("Wc", "m", 18, 30)

    SCALE = 1 / 50
    LAWN_M = 72.0
    START_M = 6.0
    GONE_M = 110.0
    HOUSES_M = tuple(float(x) for x in np.linspace(8.0, 64.0, 8))
    FRONT_M = 5.5
    SHADE = 0.28

    def states(self, t_s: Array) -> dict[str, Array]:
        xe = np.minimum(self.START_M + self.speed_m_per_s * started(t_s), self.GONE_M)
        middle = np.array(self.HOUSES_M)
        shaded = ((middle <= xe[:, None]) & (middle >= xe[:, None] - self.width_m)).sum(axis=1)
        return {"xe": xe, "edge_x": xe.copy(), "shaded_houses": shaded.astype(np.float64)}

    def _x(self, along_m: float) -> float:
        return self.SCALE * (along_m - self.LAWN_M / 2)

    def assembly(self) -> Assembly:
        long = self.SCALE * self.LAWN_M
        road = parts.block((long, 0.07, 0.002), (0, -0.13, 0.02))
        return Assembly((
            Part("shade", parts.moved(parts.box((1.0, 0.5, 0.004)), 0.5, 0.0, 0.0), DARK_LAWN, carries=True),
            *(part for made in _row_of_houses() for part in made),
            Part("lawn", parts.block((long, 0.5, 0.02), (0, 0, 0)), LAWN),
            Part("lane", road, Material(rgb=(0.55, 0.42, 0.26), roughness=0.95)),
        ), lamps=(Lamp("sun", (0.4, -2.0, 3.0), 260.0, (1.0, 0.95, 0.84), 0.06),))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        xe = float(state["xe"])
        low, high = (float(np.clip(x, 0.0, self.LAWN_M)) for x in (xe - self.width_m, xe))
        band = max(high - low, 1e-4) * self.SCALE
        made: dict[str, tuple[Channel, ...]] = {
            "shade": (Visible(high > low), Scale(at(band, 1, 1)), Move(at(self._x(low), 0, 0.0213))),
            "sun": (Power(260.0),),
        }
        for x, own in zip(self.HOUSES_M, _row_of_houses(), strict=True):
            covered = min(xe, x + self.FRONT_M / 2) - max(xe - self.width_m, x - self.FRONT_M / 2)
            light = 1 - (1 - self.SHADE) * min(max(covered / self.FRONT_M, 0.0), 1.0)
            made |= {part.name: (Colour(light * np.asarray(part.material.rgb)),) for part in own}
        return made

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        edge = float(meshes["shade"].bounds[1, 0]) / self.SCALE + self.LAWN_M / 2 if "shade" in meshes else self.LAWN_M
        return {"xe": edge} if edge < self.LAWN_M - 1e-6 else {}

    def measure(self, view: View) -> dict[str, float]:
        """The right end of the dark ground; houses whose roof is half as bright as the brightest, or less."""
        shade = view.points_m["shade"]
        if len(shade) == 0:
            return {"edge_x": float("nan")}
        half_pixel = float(np.sqrt(np.median(view.pixel_area_m2["shade"]))) / 2
        edge = (float(shade[:, 0].max()) + half_pixel) / self.SCALE + self.LAWN_M / 2
        roofs = [linear_rgb(view.rgb[f"house_{k}_roof"]).sum(axis=1) for k in range(len(self.HOUSES_M))]
        bright = np.array([float(r.mean()) if len(r) >= 3 else np.nan for r in roofs])
        if np.isnan(bright).any():
            return {"edge_x": edge}
        return {"edge_x": edge, "shaded_houses": float((bright < 0.5 * bright.max()).sum())}


@lru_cache(maxsize=1)
def _row_of_houses() -> tuple[tuple[Part, ...], ...]:
    kind = CloudShadowCrossing
    places = [(kind.SCALE * (x - kind.LAWN_M / 2), 0.08, 0.02) for x in kind.HOUSES_M]
    wide = kind.FRONT_M * kind.SCALE
    return tuple(
        house(f"house_{k}", wide, 1, 3, (0.85, 0.80, 0.66), at_m=place, heading_rad=-np.pi / 2)
        for k, place in enumerate(places)
    )


DARK_LAWN = Material(rgb=(0.012, 0.05, 0.012), roughness=0.95)
