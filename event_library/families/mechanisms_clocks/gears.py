"""Wheels that drive wheels: a gear train, a Geneva drive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import Channel, ChannelMap
from event_library.families.mechanisms_clocks.turning import TURN, bearing_rad, panel, rad, spun
from event_library.kit.dials import hand_angle_rad
from event_library.kit.machinery import gear, marked_wheel_channels, meshing_rad
from event_library.kit.palette import BLUE, BRASS, DARK, IRON, RED, STEEL, YELLOW, paint
from event_library.kit.shapes import Place, extruded, turned
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.taxonomy import facts

SLATE = Material(rgb=(0.10, 0.16, 0.22), roughness=0.7)


@dataclass(frozen=True, kw_only=True)
class GearTrain(Event):
    """Pitch circles roll without slip: phi_2' = -phi_1' N1 / N2, phi_3' = phi_1' N1 / N3 (clockwise angles)."""

    info = facts("gear_train")
    variables = (
        state("phi", "rad", rad(8), domain="vector", flags="periodic", cycle=TURN, label="painted teeth of 1, 2, 3"),
        readout("phi_3", "rad", rad(8), min_delta=rad(20), domain="angle", flags="periodic", cycle=TURN,
                label="painted tooth of the largest gear, clockwise from up"),
        readout("phi_1", "rad", rad(12), domain="angle", flags="periodic", cycle=TURN,
                label="painted tooth of the smallest gear, clockwise from up"),
    )  # fmt: skip
    accept_rules = (
        ("the largest gear turns at 12.5 deg/s or more", lambda e: e.rate_rad_per_s * e.num_1 / e.num_3 >= rad(12.5)),
    )

    rate_rad_per_s: float = angle_param("w", 25, 60, unit="rad/s")
    num_1: int = param("N1", "count", 10, 14)
    num_2: int = param("N2", "count", 16, 22)
    num_3: int = param("N3", "count", 20, 28)

    MODULE_M = 0.012
    TOWARDS_RAD = (rad(170), rad(70))  # clockwise from up: gear 1 -> gear 2, gear 2 -> gear 3

    @property
    def teeth(self) -> tuple[int, int, int]:
        return self.num_1, self.num_2, self.num_3

    def places(self) -> tuple[Place, ...]:
        """Axles: the lowest tooth 3 cm above the support."""
        radii = np.array(self.teeth) * self.MODULE_M / 2
        found = [np.zeros(3)]
        for k, way in enumerate(self.TOWARDS_RAD):
            found.append(found[-1] + (radii[k] + radii[k + 1]) * np.array([np.sin(way), 0.0, np.cos(way)]))
        low = min(p[2] - r for p, r in zip(found, radii, strict=True)) - self.MODULE_M - 0.03
        middle = (min(p[0] - r for p, r in zip(found, radii, strict=True)) + found[2][0] + radii[2]) / 2
        return tuple((float(p[0] - middle), 0.0, float(p[2] - low)) for p in found)

    def states(self, t_s: Array) -> dict[str, Array]:
        first = self.rate_rad_per_s * started(t_s)
        second = meshing_rad(0.0, self.num_1, self.num_2, self.TOWARDS_RAD[0])
        third = meshing_rad(second, self.num_2, self.num_3, self.TOWARDS_RAD[1])
        starts = np.array([0.0, second, third])
        ratios = np.array([1.0, -self.num_1 / self.num_2, self.num_1 / self.num_3])
        phi = (starts + first[:, None] * ratios) % TURN
        return {"phi": phi, "phi_1": phi[:, 0].copy(), "phi_3": phi[:, 2].copy()}

    def assembly(self) -> Assembly:
        made: list[Part] = []
        metals = (STEEL, BRASS, paint((0.16, 0.30, 0.45)))
        for k, (teeth, metal, place) in enumerate(zip(self.teeth, metals, self.places(), strict=True), start=1):
            made += gear(f"gear_{k}", teeth, self.MODULE_M, 0.024, material=metal, marked=None)
            low, tip = 0.4 * teeth / 2 * self.MODULE_M, (teeth / 2 + 0.95) * self.MODULE_M
            bar = parts.moved(parts.box((0.3 * tip, 0.028, tip - low)), z_m=(tip + low) / 2)
            made.append(Part(f"gear_{k}_mark", bar, paint((RED, YELLOW, RED)[k - 1]), carries=True))
            axle = parts.cylinder(0.17 * teeth * self.MODULE_M / 2, 0.05, 24)
            axle = parts.moved(turned(axle, (1, 0, 0), np.pi / 2), place[0], 0.03, place[2])
            made.append(Part(f"axle_{k}", axle, DARK, smooth_angle_deg=40))
        x, _, z = self.places()[0]
        motor = parts.moved(turned(parts.cylinder(0.02, 0.03, 24), (1, 0, 0), np.pi / 2), x, -0.014, z)
        width, height = self._size_m()
        made.append(Part("motor", motor, IRON, smooth_angle_deg=40))
        return Assembly((*made, *panel(width, height, 0.03, SLATE)))

    def _size_m(self) -> tuple[float, float]:
        radii = (np.array(self.teeth) / 2 + 1) * self.MODULE_M
        return (
            2 * max(abs(p[0]) + r for p, r in zip(self.places(), radii, strict=True)) + 0.02,
            max(p[2] + r for p, r in zip(self.places(), radii, strict=True)) + 0.015,
        )

    def channels(self, state: State) -> ChannelMap:
        made: dict[str, tuple[Channel, ...]] = {}
        for k, (angle, place) in enumerate(zip(state["phi"], self.places(), strict=True), start=1):
            made |= marked_wheel_channels(f"gear_{k}", float(angle), place)
        return made

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return self._marks({name: np.asarray(mesh.vertices) for name, mesh in meshes.items()})

    def measure(self, view: View) -> dict[str, float]:
        return self._marks(view.points_m)

    def _marks(self, points_m: Mapping[str, Array]) -> dict[str, float]:
        places = self.places()
        return {f"phi_{k}": hand_angle_rad(points_m[f"gear_{k}_mark"], places[k - 1]) % TURN for k in (1, 3)}


@dataclass(frozen=True, kw_only=True)
class GenevaDrive(Event):
    """External Geneva mechanism (Bickford 1972): while the pin is in a slot the wheel follows it exactly.

    out = atan(sin psi / (c - cos psi)), c = 1 / sin(pi / n), |psi| <= pi/2 - pi/n; in between the disc locks the wheel.
    """

    info = facts("geneva_drive")
    variables = (
        state("psi", "rad", rad(15), domain="angle", flags="periodic", cycle=TURN,
              label="pin, counter-clockwise from the line of centres"),
        state("out", "rad", rad(15), domain="angle", flags="periodic", cycle=TURN),
        readout("output_angle", "rad", rad(15), min_delta=rad(50), domain="angle", flags="periodic", cycle=TURN,
                label="painted sector of the slotted wheel, clockwise from its first rest"),
    )  # fmt: skip

    num_slots: int = param("n", "count", 4, 6)
    turn_s: float = param("Td", "s", 1.5, 2.4)

    CENTRES_M = 0.2
    THICK_M = 0.014

    @property
    def crank_m(self) -> float:
        return float(self.CENTRES_M * np.sin(np.pi / self.num_slots))

    @property
    def axles(self) -> tuple[Place, Place]:
        """Of the driver and of the slotted wheel."""
        return (-0.5 * self.CENTRES_M, 0.0, 0.24), (0.5 * self.CENTRES_M, 0.0, 0.24)

    def states(self, t_s: Array) -> dict[str, Array]:
        turns = started(t_s) / self.turn_s
        psi = TURN * (turns % 1) - np.pi
        step = TURN / self.num_slots
        engaged = np.pi / 2 - step / 2
        stations = (np.floor(turns) + (psi > engaged)) % self.num_slots
        within = step / 2 + np.arctan2(np.sin(psi), 1 / np.sin(step / 2) - np.cos(psi))
        out = step * stations + np.where(np.abs(psi) <= engaged, within, 0.0)
        return {"psi": psi % TURN, "out": out, "output_angle": out.copy()}

    def assembly(self) -> Assembly:
        (driver, wheel), slotted, sector, lock = self.axles, *_geneva_meshes(self.num_slots)
        t, pin_m = self.THICK_M, _pin_m()
        disc = turned(parts.cylinder(self.crank_m + 2.2 * pin_m, 0.01, 48), (1, 0, 0), np.pi / 2)
        pin = turned(parts.cylinder(pin_m, t + 0.012, 20), (1, 0, 0), np.pi / 2)
        hubs = [
            parts.moved(turned(parts.cylinder(0.016, 0.03, 24), (1, 0, 0), np.pi / 2), x, t, z)
            for x, _, z in (driver, wheel)
        ]
        return Assembly((
            Part("wheel", slotted.copy(), STEEL, carries=True),
            Part("sector", sector.copy(), paint(RED), carries=True),
            Part("driver", parts.moved(disc, y_m=t + 0.014), paint(BLUE), carries=True, smooth_angle_deg=40),
            Part("lock", lock.copy(), BRASS, carries=True),
            Part("pin", parts.moved(pin, self.crank_m, t + 0.005), paint(YELLOW), carries=True, smooth_angle_deg=40),
            Part("hubs", parts.join(*hubs), DARK, smooth_angle_deg=40),
            *panel(2.75 * self.CENTRES_M, 0.44, 0.04, SLATE),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        driver, wheel = self.axles
        driven = spun(driver, float(state["psi"]))
        stepped = spun(wheel, -float(state["out"]))
        return {"driver": driven, "lock": driven, "pin": driven, "wheel": stepped, "sector": stepped}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        driver, wheel = self.axles
        return {
            "psi": bearing_rad(meshes["pin"].vertices, driver),
            "out": (np.pi - bearing_rad(meshes["sector"].vertices, wheel)) % TURN,
        }

    def measure(self, view: View) -> dict[str, float]:
        return {"output_angle": (np.pi - bearing_rad(view.points_m["sector"], self.axles[1])) % TURN}


def _pin_m() -> float:
    return 0.05 * GenevaDrive.CENTRES_M


@lru_cache(maxsize=4)
def _geneva_meshes(num_slots: int) -> tuple[trimesh.Trimesh, trimesh.Trimesh, trimesh.Trimesh]:
    """The slotted wheel, its painted sector and the locking disc, about their axles.

    At rest a concave arc faces the driver (-x); the sector painted is that one. The disc's crescent lies towards +x.
    """
    centres, half_step, pin = GenevaDrive.CENTRES_M, np.pi / num_slots, _pin_m()
    crank, radius = centres * np.sin(half_step), centres * np.cos(half_step)
    lock = crank - 2.2 * pin  # radius of the locking disc
    slot, bottom = 1.1 * pin, centres - crank - 1.3 * pin
    tip = np.arccos((radius**2 + centres**2 - lock**2) / (2 * radius * centres))
    start = np.arctan2(radius * np.sin(tip), radius * np.cos(tip) - centres) % TURN
    bow = np.linspace(TURN - start, start, 13)
    arc = np.column_stack([centres + lock * np.cos(bow), lock * np.sin(bow)])
    edge = np.array([(bottom, slot), (np.sqrt(radius**2 - slot**2), slot)]) @ _turn(-half_step)
    arm = np.vstack([edge, arc, edge[::-1] * [1, -1]])
    outline = np.vstack([arm @ _turn(np.pi + 2 * half_step * k) for k in range(num_slots)])
    inner = 0.75 * bottom * np.array([(np.cos(0.8 * half_step), s * np.sin(0.8 * half_step)) for s in (1, -1)])
    painted = np.vstack([arm, inner]) @ _turn(np.pi)
    around = np.linspace(0, TURN, 72, endpoint=False)
    clear = 1.04 * radius
    inside = np.abs(centres * np.sin(around)) < clear
    bite = centres * np.cos(around) - np.sqrt(np.maximum(clear**2 - (centres * np.sin(around)) ** 2, 0.0))
    r = np.where(inside & (np.cos(around) > 0), np.minimum(bite, lock - 0.001), lock - 0.001)
    disc = np.column_stack([r * np.cos(around), r * np.sin(around)])
    thick = GenevaDrive.THICK_M
    sector = parts.moved(extruded(painted, 0.002), y_m=-0.002)
    return extruded(outline, thick), sector, extruded(disc, thick)


def _turn(angle_rad: float) -> Array:
    """[2, 2] for row vectors: counter-clockwise."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([(c, s), (-s, c)])
