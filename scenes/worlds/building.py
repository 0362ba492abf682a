"""One world around a plan's events: its site, clutter and light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scenes.cameras import base_pose
from scenes.clutter import clutter_props
from scenes.errors import Problem, under
from scenes.framing import duration_s, path_times_s
from scenes.lighting import PRESETS, SKY_PRESETS, lamps, sky, vec3
from scenes.plan import LightPlan, SkyPlan, WorldPlan
from scenes.spec import LightSpec, WorldSpec
from scenes.staging import Staged
from scenes.worlds import WORLDS
from scenes.worlds.site import Array, Setting, Site


@dataclass(frozen=True)
class WorldDraw:
    """What a world is drawn from; `rng` gives the generator of a named decision."""

    spec: WorldSpec
    staged: Staged
    rng: Callable[[str], np.random.Generator]

    def build(self, kind: str) -> tuple[WorldPlan, Site]:
        """Raises Problem placed at a field of the world's spec when it cannot be."""
        setting = _setting(self.staged)
        with under("kind"):
            site = WORLDS[kind](setting, self.rng("room"))
        lights, above, ambient = self._light(kind, setting, site)
        rng = self.rng("clutter")
        with under("clutter"):
            clutter = clutter_props(int(self.spec.clutter.sample(rng)), setting, site, rng)
        world = WorldPlan(kind=kind, props=(*site.props, *clutter), lights=lights, ambient_rgb=vec3(ambient), sky=above)
        return world, site

    def _light(self, kind: str, setting: Setting, site: Site) -> tuple[tuple[LightPlan, ...], SkyPlan | None, Array]:
        spec, camera, rng = self.spec.light, setting.camera, self.rng("light")
        name = self._preset(kind, rng)
        strength = float(spec.strength.sample(rng))
        side = 1 if rng.uniform() < 0.5 else -1
        azimuth = camera.azimuth_rad + (camera.sweep_rad / 2 if len(setting.eyes_m) > 1 else 0.0)
        if site.overhead_m is None:
            preset = SKY_PRESETS[name]
            return (), sky(preset, strength, azimuth, side, rng), np.asarray(preset.ambient_rgb) * strength
        indoors = PRESETS[name]
        reach_m = max(1.3 * camera.distance_m, 2.0 * setting.subject_m)
        lights = lamps(indoors, strength, setting.box_m.mean(axis=0), reach_m, site, azimuth, side)
        return lights, None, np.asarray(indoors.ambient_rgb) * strength

    def _preset(self, kind: str, rng: np.random.Generator) -> str:
        """One of those that fit; by default the brightest."""
        if self.spec.light.preset is None:
            return fitting_presets(kind)[0]
        options = [name for name in self.spec.light.preset.options if name in fitting_presets(kind)]
        return options[int(rng.integers(len(options)))]


def fitting_presets(kind: str) -> list[str]:
    """Those for rooms in a room, those of the sky under the sky; the brightest first."""
    return list(SKY_PRESETS if kind == "outdoor" else PRESETS)


def check_light(kind: str, light: LightSpec) -> None:
    """Raises Problem when none of the presets asked for fits the world."""
    fitting = fitting_presets(kind)
    if light.preset is not None and not set(light.preset.options) & set(fitting):
        raise Problem(
            f"{light.preset.options[0]!r} is no light for the world {kind!r}; use {', '.join(fitting)}", ("preset",)
        )


def check_lights_out(kind: str, interruption_kinds: list[str]) -> None:
    """Raises Problem placed at an interruption when something would switch off the sun."""
    for i, interruption in enumerate(interruption_kinds):
        if kind == "outdoor" and interruption == "lights_off":
            raise Problem(
                "the sun cannot be switched off in the world 'outdoor'; use look_away, occluder, fog or blackout, "
                "or a world with lamps (tabletop, room, shelf)",
                (i, "kind"),
            )


def _setting(staged: Staged) -> Setting:
    camera, clip = staged.camera, staged.clip
    boxes = np.stack([found.box_m for found in staged.occupancies.values()])
    low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
    reach_m = camera.distance_m * max(1.0, 1.0 - camera.travel_share)
    eyes = np.stack([base_pose(camera, t, duration_s(clip))[:3, 3] for t in path_times_s(camera, clip)])
    return Setting(
        event_boxes_m=tuple(boxes),
        camera=camera,
        clip=clip,
        eyes_m=eyes,
        subject_m=float((high - low).max()),
        half_x_m=float(max(abs(low[0]), abs(high[0]))),
        half_y_m=float(max(abs(low[1]), abs(high[1]))),
        camera_m=float(np.linalg.norm(np.asarray(camera.look_at_m)[:2]) + reach_m),
        pixel_m=float(2 * camera.distance_m * np.tan(camera.fov_rad / 2) / 64),
    )
