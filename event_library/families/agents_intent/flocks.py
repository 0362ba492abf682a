"""A flock of paper birds behind its leader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, seed_param, state
from event_library.channels import ChannelMap, Vertices
from event_library.kit.palette import RED, WHITE, WOOD, paint
from event_library.laws import REST_S, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

TICK_S = 1 / 60
CHUNK = 480  # ticks kept together
FOLLOW_PER_S2, ALIGN_PER_S, DAMP_PER_S = 2.0, 0.5, 1.0
SPREAD_M2_PER_S2, REACH_M, SOFT_M = 0.14, 0.50, 0.08
START_M = 0.5
BEATS_PER_S = 1.6
BANK_RAD = 0.35
FIELD_M = 0.03
HEIGHT_M, LAYER_M = 0.45, 0.09  # birds fly in three layers
SPAN_M, LONG_M = 0.34, 0.32
# a bird's vertices: back, nose, tail, left and right wing tip, left and right tail corner, keel
BIRD = np.array([
    (0.0, 0.0, 0.0), (0.55, 0.0, 0.02), (-0.30, 0.0, 0.03), (-0.18, 0.5, 0.0), (-0.18, -0.5, 0.0),
    (-0.50, 0.13, 0.06), (-0.50, -0.13, 0.06), (-0.15, 0.0, -0.14),
]) * [LONG_M, SPAN_M, LONG_M]  # fmt: skip
FACES = np.array([(1, 3, 0), (0, 3, 2), (1, 0, 4), (0, 2, 4), (2, 5, 6), (1, 7, 2)])
BIRD_SIZE_M2 = 0.009  # mean square of a bird's own points about its middle
FIELD = Material(rgb=(0.14, 0.40, 0.06), roughness=0.95, pattern=Pattern("checker", (0.22, 0.48, 0.10), 0.4))


@dataclass(frozen=True, kw_only=True)
class BoidsFlock(Event):
    """Boids (Reynolds 1987) round a leader on a circle: a = 2 (leader - p) + 0.5 (mean v - v) - (v - v_leader) + push.

    push = 0.14 sum_j r_j exp(-r_j^2 / 0.5^2) / (r_j^2 + 0.08^2): smooth, so fixed ticks converge.
    """

    info = facts("boids_flock")
    variables = (
        state("p", "m", 0.05, domain="field", label="places of the birds"),
        state("v", "m/s", 0.05, domain="field", label="their velocities"),
        state("leader", "m", 0.05, domain="vector", label="place of the leader"),
        state("beats", "count", 0.1, label="wing beats flown"),
        readout("flock_bearing", "rad", float(np.deg2rad(14)), min_delta=float(np.deg2rad(40)), domain="angle",
                cycle=2 * np.pi, label="bearing of the flock's middle"),
        readout("spread", "m", 0.12, label="root mean square distance from its middle"),
    )  # fmt: skip

    num_birds: int = param("n", "count", 10, 16)
    circle_m: float = param("Rl", "m", 0.9, 1.2)
    rate_rad_per_s: float = param("wl", "rad/s", 0.45, 0.8)
    start_rad: float = angle_param("p0", 0, 360)
    seed: int = seed_param()

    def leader(self, t_s: Array | float) -> tuple[Array, Array]:
        """Place and velocity [..., 2] of the leader."""
        turn = self.rate_rad_per_s * np.asarray(t_s) + self.start_rad
        place = self.circle_m * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        return place, self.rate_rad_per_s * place[..., ::-1] * [-1.0, 1.0]

    def start(self) -> Array:
        """[2, n, 2] places, evenly over a disc round the leader, and velocities."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        away, turn = START_M * np.sqrt(rng.uniform(0, 1, self.num_birds)), rng.uniform(0, 2 * np.pi, self.num_birds)
        place, velocity = self.leader(0.0)
        cloud = place + away[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
        return np.stack([cloud, np.broadcast_to(velocity, cloud.shape)])

    def rates(self, t_s: float, now: Array) -> Array:
        """[2, n, 2] velocities and accelerations."""
        p, v = now
        place, velocity = self.leader(t_s)
        apart = p[:, None] - p[None]
        square = (apart**2).sum(axis=-1)
        push = (apart * (np.exp(-square / REACH_M**2) / (square + SOFT_M**2))[..., None]).sum(axis=1)
        drawn = FOLLOW_PER_S2 * (place - p) + ALIGN_PER_S * (v.mean(axis=0) - v) - DAMP_PER_S * (v - velocity)
        return np.stack([v, drawn + SPREAD_M2_PER_S2 * push])

    def states(self, t_s: Array) -> dict[str, Array]:
        t = np.minimum(started(t_s), REST_S)
        now = np.stack([_between(self, float(time)) for time in t])
        p, v = now[:, 0], now[:, 1]
        middle = p.mean(axis=1)
        return {
            "p": p, "v": v, "leader": self.leader(t)[0], "beats": BEATS_PER_S * t,
            "flock_bearing": np.arctan2(middle[:, 1], middle[:, 0]) % (2 * np.pi),
            "spread": np.sqrt(((p - middle[:, None]) ** 2).sum(axis=-1).mean(axis=1)),
        }  # fmt: skip

    def assembly(self) -> Assembly:
        flock = np.vstack([FACES + len(BIRD) * k for k in range(self.num_birds)])
        side = 2 * self.circle_m + 1.5
        paper = trimesh.Trimesh(np.tile(BIRD, (self.num_birds, 1)), flock, process=False)
        return Assembly((
            Part("flock", paper, paint(WHITE, 0.8), carries=True),
            Part("leader", trimesh.Trimesh(1.25 * BIRD, FACES, process=False), paint(RED, 0.7), carries=True),
            Part("field", parts.block((side, side, FIELD_M), (0, 0, 0)), FIELD),
            Part("rim", parts.block((side + 0.06, side + 0.06, 0.7 * FIELD_M), (0, 0, 0)), WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        p, v, leader = (np.asarray(state[name]) for name in ("p", "v", "leader"))
        high = FIELD_M + HEIGHT_M + LAYER_M * (np.arange(self.num_birds) % 3)
        beats = float(state["beats"]) + 0.37 * np.arange(self.num_birds)
        ahead = np.array([[-leader[1], leader[0]]])
        top = np.array([FIELD_M + HEIGHT_M + 3 * LAYER_M])
        return {
            "flock": (Vertices(_birds(np.column_stack([p, high]), v, beats)),),
            "leader": (Vertices(_birds(np.array([[*leader, top[0]]]), ahead, beats[:1], 1.25)),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        p = np.asarray(meshes["flock"].vertices)[:: len(BIRD), :2]
        x, y = p.mean(axis=0)
        spread = np.sqrt(((p - (x, y)) ** 2).sum(axis=1).mean())
        return {"flock_bearing": float(np.arctan2(y, x) % (2 * np.pi)), "spread": float(spread)}

    def measure(self, view: View) -> dict[str, float]:
        points = view.points_m["flock"][:, :2]
        if len(points) < 3:
            return {"flock_bearing": float("nan")}
        x, y = points.mean(axis=0)
        square = max(float(((points - (x, y)) ** 2).sum(axis=1).mean()) - BIRD_SIZE_M2, 0.0)
        return {"flock_bearing": float(np.arctan2(y, x) % (2 * np.pi)), "spread": float(np.sqrt(square))}


def _birds(places_m: Array, velocities: Array, beats: Array, size: float = 1.0) -> Array:
    """[n V, 3] vertices of birds at [n, 3], flying along [n, 2], banked to the left, at wing beats [n]."""
    local = np.broadcast_to(size * BIRD, (len(places_m), *BIRD.shape)).copy()
    local[:, 3:5, 2] += (0.22 * size * SPAN_M * np.sin(2 * np.pi * beats))[:, None]
    y, z = local[..., 1].copy(), local[..., 2].copy()
    c, s = np.cos(BANK_RAD), np.sin(BANK_RAD)
    local[..., 1], local[..., 2] = c * y + s * z, c * z - s * y  # left wing down
    ahead = velocities / np.maximum(np.linalg.norm(velocities, axis=1, keepdims=True), 1e-9)
    x, y = local[..., 0].copy(), local[..., 1].copy()
    local[..., 0] = ahead[:, :1] * x - ahead[:, 1:] * y
    local[..., 1] = ahead[:, 1:] * x + ahead[:, :1] * y
    return (local + places_m[:, None]).reshape(-1, 3)


@lru_cache(maxsize=320)
def _chunk(event: BoidsFlock, chunk: int) -> Array:
    """[CHUNK + 1, 2, n, 2] values at the ticks of one chunk, by RK4 from the end of the chunk before."""
    h, values = TICK_S, [event.start() if chunk == 0 else _chunk(event, chunk - 1)[-1]]
    for tick in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        t, now = tick * h, values[-1]
        k1 = event.rates(t, now)
        k2 = event.rates(t + h / 2, now + h / 2 * k1)
        k3 = event.rates(t + h / 2, now + h / 2 * k2)
        k4 = event.rates(t + h, now + h * k3)
        values.append(now + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(values)


def _between(event: BoidsFlock, t_s: float) -> Array:
    """[2, n, 2] places and velocities at one time: cubic Hermite between ticks."""
    tick = min(int(t_s / TICK_S), int(REST_S / TICK_S) - 1)
    low, high = _chunk(event, tick // CHUNK)[tick % CHUNK :][:2]
    u = t_s / TICK_S - tick
    return np.asarray(
        (1 + 2 * u) * (1 - u) ** 2 * low + u * (1 - u) ** 2 * TICK_S * event.rates(tick * TICK_S, low)
        + u * u * (3 - 2 * u) * high + u * u * (u - 1) * TICK_S * event.rates((tick + 1) * TICK_S, high)
    )  # fmt: skip
