"""Logic and digital: displays, automata, puzzles, games."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Scale
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

PEG_X_M = (-0.165, 0.0, 0.165)
PEG_RADIUS_M = 0.009
BASE_M = 0.022  # top of the board on which the discs lie
STACK_M = 0.13  # height of all discs together
PEG_TOP_M = BASE_M + STACK_M + 0.012
TRAVEL_M = PEG_TOP_M + 0.032  # of the grip's middle while it moves sideways
REACH_M = PEG_TOP_M - BASE_M - 0.006  # grip's middle to palm: the palm clears a peg at the lowest disc
RAIL_M = TRAVEL_M + REACH_M + 0.05
OPEN_M = 0.077  # half gap between the open fingers
FINGER_M = 0.012
FLAT_M = 2e-5  # the discs' tops are exactly flat
SEEN_LIFT_M = 1e-3  # a disc this far above its rest is being carried

# share of a move at which: fingers open, hand up, over the disc, down, closed, disc up, over its peg, down on it
STEPS = np.array([0.0, 0.06, 0.16, 0.30, 0.42, 0.48, 0.62, 0.80, 1.0])

WOOD = Material(rgb=(0.42, 0.24, 0.10), roughness=0.55, pattern=Pattern("wood", (0.30, 0.16, 0.06), 0.02))
PEG = Material(rgb=(0.70, 0.52, 0.30), roughness=0.5)
STEEL = Material(rgb=(0.55, 0.57, 0.60), roughness=0.3, metallic=0.7)
DARK = Material(rgb=(0.06, 0.06, 0.07), roughness=0.5)
HUES = ((0.80, 0.04, 0.03), (0.95, 0.55, 0.02), (0.05, 0.50, 0.10), (0.03, 0.13, 0.70))  # smallest disc first


@lru_cache(maxsize=8)
def shortest_solution(num_discs: int) -> tuple[tuple[int, int, int], ...]:
    """Moves (disc, from peg, to peg) of the unique shortest solution; disc 0 is the smallest."""

    def solve(count: int, source: int, target: int, spare: int) -> list[tuple[int, int, int]]:
        if count == 0:
            return []
        before = solve(count - 1, source, spare, target)
        return [*before, (count - 1, source, target), *solve(count - 1, spare, target, source)]

    return tuple(solve(num_discs, 0, 2, 1))


@lru_cache(maxsize=8)
def arrangements(num_discs: int) -> tuple[tuple[int, ...], ...]:
    """Peg of each disc after 0, 1, ... moves."""
    pegs = [0] * num_discs
    found = [tuple(pegs)]
    for disc, _, target in shortest_solution(num_discs):
        pegs[disc] = target
        found.append(tuple(pegs))
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class TowerOfHanoi(Event):
    """A gripper solves the Tower of Hanoi: moves = min(2^nd - 1, floor(t / tm))."""

    info = facts("tower_of_hanoi")
    variables = (
        state("pegs", "index", 0.0, domain="field", label="peg of each disc, smallest first"),
        state("discs", "m", 0.005, domain="field", label="x and z of each disc's middle"),
        state("grip", "m", 0.005, domain="field", label="x, z and half gap of the gripper"),
        readout("moves", "count", 0.0, min_delta=2.0, domain="count", flags="monotone bounded", label="moves made"),
    )

    num_discs: int = param("nd", "count", 3, 4)
    move_s: float = param("tm", "s", 0.6, 0.95)

    @property
    def disc_m(self) -> float:
        """Thickness of a disc."""
        return STACK_M / self.num_discs

    @property
    def radii_m(self) -> Array:
        return np.linspace(0.036, 0.068, self.num_discs)

    def rest_z_m(self, pegs: tuple[int, ...], disc: int) -> float:
        """Height of a disc's middle where it lies: on the larger ones of its peg."""
        below = sum(pegs[other] == pegs[disc] for other in range(disc + 1, self.num_discs))
        return BASE_M + self.disc_m * (below + 0.5)

    def states(self, t_s: Array) -> dict[str, Array]:
        turns = started(t_s) / self.move_s
        moves = np.minimum(np.floor(turns), 2**self.num_discs - 1)
        pegs = np.array([arrangements(self.num_discs)[int(k)] for k in moves], dtype=np.float64)
        scenes = [self._scene(int(k), min(float(turn - k), 1.0)) for k, turn in zip(moves, turns, strict=True)]
        return {
            "moves": moves,
            "pegs": pegs.reshape(-1, self.num_discs),
            "discs": np.array([discs for discs, _ in scenes]).reshape(-1, self.num_discs, 2),
            "grip": np.array([grip for _, grip in scenes]).reshape(-1, 3),
        }

    def _scene(self, done: int, share: float) -> tuple[Array, Array]:
        """Disc middles [nd, 2] and grip [3] at a share of the move after `done` moves."""
        moves, known = shortest_solution(self.num_discs), arrangements(self.num_discs)
        discs = np.array([(PEG_X_M[known[done][d]], self.rest_z_m(known[done], d)) for d in range(self.num_discs)])
        x, z, gap = PEG_X_M[0], TRAVEL_M, OPEN_M  # parked over the first peg
        if done > 0:
            last, _, target = moves[done - 1]
            x, z, gap = PEG_X_M[target], self.rest_z_m(known[done], last), float(self.radii_m[last])
        if done == len(moves):
            knots = np.array([(x, z, gap), (x, z, OPEN_M), *[(x, TRAVEL_M, OPEN_M)] * 7])
            return discs, _between(knots, share)
        disc, source, target = moves[done]
        x0, x1, radius = PEG_X_M[source], PEG_X_M[target], float(self.radii_m[disc])
        z0, z1 = self.rest_z_m(known[done], disc), self.rest_z_m(known[done + 1], disc)
        knots = np.array([
            (x, z, gap), (x, z, OPEN_M), (x, TRAVEL_M, OPEN_M), (x0, TRAVEL_M, OPEN_M), (x0, z0, OPEN_M),
            (x0, z0, radius), (x0, TRAVEL_M, radius), (x1, TRAVEL_M, radius), (x1, z1, radius),
        ])  # fmt: skip
        grip = _between(knots, share)
        if share > STEPS[5]:
            discs[disc] = grip[:2]
        return discs, grip

    def assembly(self) -> Assembly:
        pegs = [parts.moved(parts.cylinder(PEG_RADIUS_M, PEG_TOP_M - BASE_M, 20), x, 0, BASE_M) for x in PEG_X_M]
        frame = parts.join(
            parts.block((0.56, 0.035, 0.022), (0, 0, RAIL_M)),
            *(parts.block((0.02, 0.03, RAIL_M), (side * 0.268, 0, 0)) for side in (-1, 1)),
        )
        palm = parts.moved(parts.bevelled_box((2 * (OPEN_M + FINGER_M), 0.034, 0.026), 0.004), z_m=REACH_M + 0.013)
        finger = parts.block((FINGER_M, 0.03, REACH_M + 0.4 * self.disc_m), (0, 0, -0.4 * self.disc_m))
        discs = [
            Part(
                f"disc_{d + 1}",
                self._disc(d),
                Material(rgb=HUES[d], roughness=0.35),
                carries=True,
                smooth_angle_deg=30,
            )
            for d in range(self.num_discs)
        ]
        return Assembly(
            parts=(
                *discs,
                Part("palm", palm, DARK, carries=True),
                Part("left_finger", finger, DARK, carries=True),
                Part("right_finger", finger.copy(), DARK, carries=True),
                Part("rod", parts.cylinder(0.007, 1.0, 16), STEEL, carries=True, smooth_angle_deg=40),
                Part("carriage", parts.bevelled_box((0.06, 0.05, 0.04), 0.005), DARK, carries=True),
                Part("pegs", parts.join(*pegs), PEG, smooth_angle_deg=40),
                Part(
                    "board",
                    parts.moved(parts.bevelled_box((0.56, 0.16, BASE_M), 0.004), z_m=BASE_M / 2),
                    WOOD,
                ),
                Part("frame", frame, STEEL),
            )
        )

    def _disc(self, disc: int) -> trimesh.Trimesh:
        radius, thick = float(self.radii_m[disc]), self.disc_m
        return parts.moved(parts.ring(PEG_RADIUS_M + 0.001, radius, thick, 0.16 * thick), z_m=-thick / 2)

    def channels(self, state: State) -> ChannelMap:
        x, z, gap = (float(v) for v in state["grip"])
        palm_top = z + REACH_M + 0.026
        side = gap + FINGER_M / 2
        discs = {
            f"disc_{d + 1}": (Move(np.array([place[0], 0.0, place[1]])),) for d, place in enumerate(state["discs"])
        }
        return {
            **discs,
            "palm": (Move(np.array([x, 0.0, z])),),
            "left_finger": (Move(np.array([x - side, 0.0, z])),),
            "right_finger": (Move(np.array([x + side, 0.0, z])),),
            "rod": (Scale(np.array([1.0, 1.0, RAIL_M - palm_top])), Move(np.array([x, 0.0, palm_top]))),
            "carriage": (Move(np.array([x, 0.0, RAIL_M + 0.011])),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middles = [meshes[f"disc_{d + 1}"].bounds.mean(axis=0) for d in range(self.num_discs)]
        return {"moves": self.count_moves(np.array([(m[0], m[2]) for m in middles]), np.full(self.num_discs, 1e-6))}

    def measure(self, view: View) -> dict[str, float]:
        discs, slack_m = np.full((self.num_discs, 2), np.nan), np.zeros(self.num_discs)
        for d in range(self.num_discs):
            points = view.points_m[f"disc_{d + 1}"]
            if len(points):
                top, error_m = top_height_m(points, view.pixel_area_m2[f"disc_{d + 1}"], FLAT_M)
                discs[d], slack_m[d] = (
                    (points[:, 0].mean(), top - self.disc_m / 2),
                    SEEN_LIFT_M + 1.5 * error_m,
                )
        return {"moves": self.count_moves(discs, slack_m)}

    def count_moves(self, discs: Array, slack_m: Array) -> float:
        """Moves made, told from the discs alone; nan when no count, or more than one, fits.

        discs: [nd, 2] x and z of their middles, nan where not seen. slack_m: [nd] how far above its rest each may
        seem to be and still count as lying. All lie: that arrangement. One is in the air: the others say which
        move is under way.
        """
        lying, carried = set(), set()
        for done, pegs in enumerate(arrangements(self.num_discs)):
            off = [d for d in range(self.num_discs) if not self._may_lie(discs[d], pegs, d, float(slack_m[d]))]
            if not off:
                lying.add(done)
            elif done < 2**self.num_discs - 1 and off == [shortest_solution(self.num_discs)[done][0]]:
                carried.add(done)
        counts = lying or carried
        return float(counts.pop()) if len(counts) == 1 else float("nan")

    def _may_lie(self, place: Array, pegs: tuple[int, ...], disc: int, slack_m: float) -> bool:
        if np.isnan(place).any():
            return True
        nearest = int(np.argmin(np.abs(np.array(PEG_X_M) - place[0])))
        return nearest == pegs[disc] and abs(place[1] - self.rest_z_m(pegs, disc)) <= slack_m


def _between(knots: Array, share: float) -> Array:
    """The hand's pose [3] at a share of a move: eased from step to step, but even in the last one (the landing)."""
    step = min(int(np.searchsorted(STEPS, share, side="right")) - 1, len(STEPS) - 2)
    u = (share - STEPS[step]) / (STEPS[step + 1] - STEPS[step])
    if step < len(STEPS) - 2:
        u = float(ease(np.array(u)))
    return knots[step] + u * (knots[step + 1] - knots[step])
