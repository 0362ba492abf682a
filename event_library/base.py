"""What an event type is: parameters, an exact law, parts, channels and readouts (DESIGN section 4).

One event type is one frozen, keyword-only dataclass; an instance is the event with its parameters. The law sees
parameters and the event's own clock only: no camera, no frame, no random numbers.
"""

from __future__ import annotations

import abc
import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library.channels import ChannelMap, Vertices, pose_matrix, present
from event_library.parts import Assembly

Array = NDArray[np.float64]
SAMPLE_DRAWS, COSTLY_DRAWS = 1000, 40
WHOLE = ("count", "index", "seed")  # units of whole numbers
State = Mapping[str, Any]  # variable name -> value in one instant (float or array)
LawKind = Literal["closed_form", "ode", "automaton", "pde", "rigid_body", "composite"]
Domain = Literal["scalar", "vector", "angle", "count", "discrete", "field"]


@dataclass(frozen=True, kw_only=True)
class EventInfo:
    """Facts about a type that do not depend on its parameters; those of this library lie in event_library/taxonomy."""

    id: str
    family: str
    stevo_category: str
    summary: str
    prompt: str  # what a text-conditioned model is told: the set-up and the process, never the outcome
    law_kind: LawKind
    law: str  # the formula in ASCII (event_library.taxonomy), with its source
    difficulty: int
    flags: tuple[str, ...]  # monotone | periodic | reversible | irreversible | chaotic | bounded | conserved
    hidden_change: str = ""  # what a viewer finds changed after some seconds
    held_out: bool = False  # never trained on
    emits_light: bool = False  # lights_off cannot hide it
    min_visible_px: int = 120  # of 64 x 64: carriers cover at least this around the hidden window
    typical_duration_s: float = 8.0  # of a clip with one interruption of 2 to 4 s
    interruptions: tuple[str, ...] = ("look_away",)  # kinds that can hide it
    elevation_deg: tuple[float, float] = (14.0, 24.0)  # camera heights from which it shows best
    determinism: str = ""  # how a chaotic or random run stays exact
    also_tests: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One state variable or readout, stored with the clip for the probe; short forms: `state`, `readout`."""

    name: str
    unit: str
    domain: Domain
    tolerance: float  # a readback within this of the law counts as right
    min_delta: float | None = None  # the least hidden change that counts as moved (probe readout only)
    role: Literal["state", "readout"] = "state"
    flags: tuple[str, ...] = ()
    cycle: float | None = None  # length of the cycle when the variable wraps
    label: str = ""  # for axes and tables

    def difference(self, before: Array, after: Array) -> Array:
        """after - before; the shorter way round for what wraps."""
        change: Array = np.asarray(after, dtype=np.float64) - before
        return change if self.cycle is None else (change + self.cycle / 2) % self.cycle - self.cycle / 2


def state(
    name: str, unit: str, tolerance: float, *, domain: Domain = "scalar", flags: str = "", cycle: float | None = None,
    label: str = "",
) -> Variable:  # fmt: skip
    """A state variable; `flags` is a space-separated list."""
    return Variable(
        name=name, unit=unit, domain=domain, tolerance=tolerance, flags=tuple(flags.split()), cycle=cycle, label=label
    )


def readout(
    name: str, unit: str, tolerance: float, *, min_delta: float | None = None, domain: Domain = "scalar",
    flags: str = "", cycle: float | None = None, label: str = "",
) -> Variable:  # fmt: skip
    """What can be measured in the picture. Exactly one readout of a type, the probe's, has `min_delta`."""
    return Variable(
        name=name, unit=unit, domain=domain, tolerance=tolerance, min_delta=min_delta, role="readout",
        flags=tuple(flags.split()), cycle=cycle, label=label,
    )  # fmt: skip


@dataclass(frozen=True)
class ParamSpec:
    """Range, unit and symbol of one parameter. Angles are radians inside and degrees in YAML."""

    name: str  # field name in the class, e.g. release_angle_rad
    symbol: str  # the taxonomy's symbol, e.g. th0
    unit: str
    low: float
    high: float
    integer: bool

    @property
    def is_angle(self) -> bool:
        """An angle or an angular rate: radians inside, degrees in YAML."""
        return self.unit == "rad" or self.unit.startswith("rad/")

    @property
    def yaml_name(self) -> str:
        return re.sub(r"_rad(?=$|_per_)", "_deg", self.name) if self.is_angle else self.name

    @property
    def yaml_unit(self) -> str:
        return self.unit.replace("rad", "deg", 1) if self.is_angle else self.unit

    def to_yaml(self, value: float) -> float:
        return float(np.rad2deg(value)) if self.is_angle else value

    def from_yaml(self, value: float) -> float:
        return float(np.deg2rad(value)) if self.is_angle else value


def param(symbol: str, unit: str, low: float, high: float, *, default: float | None = None) -> Any:
    """A dataclass field for a parameter with its inclusive range; the default is the middle of the range.

    Units count, index and seed are whole numbers.
    """
    integer = unit in WHOLE
    value = (low + high) / 2 if default is None else default
    spec = {"symbol": symbol, "unit": unit, "low": low, "high": high, "integer": integer}
    return dataclasses.field(default=int(round(value)) if integer else value, metadata={"param": spec})


def angle_param(
    symbol: str, low_deg: float, high_deg: float, *, unit: str = "rad", default_deg: float | None = None
) -> Any:
    """As `param`, of an angle or angular rate (unit rad, rad/s ...) whose range is given in degrees."""
    default = None if default_deg is None else float(np.deg2rad(default_deg))
    return param(symbol, unit, float(np.deg2rad(low_deg)), float(np.deg2rad(high_deg)), default=default)


def seed_param() -> Any:
    """The seed of an event that draws something once (which drop is where): PCG64(seed), nothing else."""
    return param("seed", "seed", 0, 99999)


class Unaccepted(ValueError):
    """No draw kept every accept rule; the message is the rule that the last one broke."""


@dataclass(frozen=True, kw_only=True)
class Event(abc.ABC):
    """Base of every event type. Subclasses are frozen keyword-only dataclasses with `param(...)` fields."""

    info: ClassVar[EventInfo]
    variables: ClassVar[tuple[Variable, ...]]
    accept_rules: ClassVar[tuple[tuple[str, Callable[[Any], bool]], ...]] = ()  # (reason, predicate)
    costly_rules: ClassVar[bool] = False  # asking them takes milliseconds (they run the law): fewer draws are tried

    def __post_init__(self) -> None:
        for spec in self.param_specs():
            value = getattr(self, spec.name)
            margin = 1e-9 * max(abs(spec.low), abs(spec.high))
            if not spec.low - margin <= value <= spec.high + margin:
                nearest = min(max(value, spec.low), spec.high)
                raise ValueError(
                    f"{spec.yaml_name}: {spec.to_yaml(value):g} {spec.yaml_unit} is outside "
                    f"[{spec.to_yaml(spec.low):g}, {spec.to_yaml(spec.high):g}]; nearest legal value "
                    f"{spec.to_yaml(nearest):g}"
                )

    # ---- parameters
    @classmethod
    def param_specs(cls) -> tuple[ParamSpec, ...]:
        found = ((f.name, f.metadata.get("param")) for f in dataclasses.fields(cls))
        return tuple(ParamSpec(name=name, **meta) for name, meta in found if meta is not None)

    @classmethod
    def draw(cls, rng: np.random.Generator, fixed: Mapping[str, float] | None = None) -> Self:
        """Parameters drawn uniformly from their ranges, those in `fixed` kept; accept rules are not asked."""
        values = dict(fixed or {})
        for spec in cls.param_specs():
            value = int(rng.integers(int(spec.low), int(spec.high) + 1)) if spec.integer else None
            values.setdefault(spec.name, float(rng.uniform(spec.low, spec.high)) if value is None else value)
        return cls(**values)

    @classmethod
    def num_draws(cls) -> int:
        """How many draws of its parameters are tried at most."""
        return COSTLY_DRAWS if cls.costly_rules else SAMPLE_DRAWS

    @classmethod
    def sample(cls, rng: np.random.Generator, fixed: Mapping[str, float] | None = None) -> Self:
        """`draw` until every accept rule holds; raises ValueError with the broken rule and the nearest legal value."""
        try:
            return cls.accepted(rng, fixed or {}, cls.num_draws())
        except Unaccepted as error:
            raise ValueError(f"{error}: {nearest_accepted(cls, fixed or {})}") from None

    @classmethod
    def accepted(cls, rng: np.random.Generator, fixed: Mapping[str, float], num_draws: int) -> Self:
        """As `sample`, with so many draws at most; raises Unaccepted with the broken rule alone."""
        for _ in range(num_draws):
            event = cls.draw(rng, fixed)
            if not (reason := event.rejection()):
                return event
        raise Unaccepted(reason)

    def rejection(self) -> str | None:
        """The first accept rule that these parameters break, or None."""
        return next((reason for reason, holds in self.accept_rules if not holds(self)), None)

    def params(self) -> dict[str, float]:
        return {spec.name: getattr(self, spec.name) for spec in self.param_specs()}

    # ---- law
    @abc.abstractmethod
    def states(self, t_s: Array) -> dict[str, Array]:
        """All variables, states and readouts, at event times `t_s` [T] (0 at the event's start): name -> [T, ...].

        One instant equals the slice of a run, bit for bit or to 1e-12 of the span.
        """

    def triggers(self) -> dict[str, float]:
        """When something sets another thing off, or ends it (tap shuts, fuse reaches rocket): name -> event time [s].

        Part of the ground truth: the clip's event log lists those that fall into the clip.
        """
        return {}

    def state_at(self, t_s: float) -> dict[str, Any]:
        """The slice of `states` at one instant."""
        return {name: value[0] for name, value in self.states(np.array([t_s], dtype=np.float64)).items()}

    # ---- picture
    @abc.abstractmethod
    def assembly(self) -> Assembly:
        """Parts and lamps at rest, in the event's frame."""

    @abc.abstractmethod
    def channels(self, state: State) -> ChannelMap:
        """What the state of one instant does to the parts and lamps."""

    @abc.abstractmethod
    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> Mapping[str, Any]:
        """State variables, numbers or vectors, read back from the geometry (volume of the water, angle of the hand).

        `meshes` are the parts with channels applied, in the event's frame. Checked against the law to 1e-3 of the span.
        """

    @abc.abstractmethod
    def measure(self, view: View) -> dict[str, float]:
        """Readouts measured from what one rendered frame's passes show (never from the plan or the law)."""

    # ---- derived
    @classmethod
    def variable(cls, name: str) -> Variable:
        return next(v for v in cls.variables if v.name == name)

    @classmethod
    def probe_variable(cls) -> Variable:
        """The readout with `min_delta`: what a hidden window must change."""
        return next(v for v in cls.variables if v.min_delta is not None)


def nearest_accepted(kind: type[Event], fixed: Mapping[str, float]) -> str:
    """In words: the least change of one of the `fixed` parameters with which the accept rules can hold."""
    rng, best = np.random.default_rng(0), (np.inf, "")
    num_steps, num_draws = (7, 2) if kind.costly_rules else (101, 30)
    for spec in kind.param_specs():
        if spec.name not in fixed:
            continue
        steps = np.linspace(spec.low, spec.high, num_steps)
        candidates = np.unique(np.round(steps)) if spec.integer else steps
        for value in sorted(candidates, key=lambda v, at=fixed[spec.name]: abs(v - at)):
            moved = abs(float(value) - fixed[spec.name]) / (spec.high - spec.low)
            if moved >= best[0]:
                break
            kept = {**fixed, spec.name: int(value) if spec.integer else float(value)}
            if any(kind.draw(rng, kept).rejection() is None for _ in range(num_draws)):
                best = moved, f"{spec.yaml_name}: {spec.to_yaml(float(value)):.4g} {spec.yaml_unit}".rstrip()
                break
    given = ", ".join(s.yaml_name for s in kind.param_specs() if s.name in fixed)
    if not best[1]:
        return f"no single change of {given} makes this possible; leave some of them out" if given else "no draw does"
    return f"not with these values of {given}; nearest legal value of one of them: {best[1]}"


@dataclass(frozen=True)
class View:
    """What one rendered frame shows of one event: surface points of each part, in the event's frame.

    points_m: part name -> [N, 3] points of the visible surface at pixel centres (depth unprojected).
    pixel_area_m2: part name -> [N] surface-facing area that each pixel covers at its depth.
    rgb: part name -> [N, 3] colours of those pixels, display-referred, [0, 1].
    eye_m: [3] where the camera is.
    """

    points_m: Mapping[str, Array]
    pixel_area_m2: Mapping[str, Array]
    rgb: Mapping[str, Array]
    eye_m: Array


def placed_meshes(assembly: Assembly, channels: ChannelMap) -> dict[str, trimesh.Trimesh]:
    """The parts with their geometric channels applied, in the event's frame; parts that are not there are left out."""
    placed = {}
    for part in assembly.parts:
        own = channels.get(part.name, ())
        if not present(own):
            continue
        vertices = next((c.vertices_m for c in own if isinstance(c, Vertices)), np.asarray(part.mesh.vertices))
        matrix = pose_matrix(own)
        moved = vertices @ matrix[:3, :3].T + matrix[:3, 3]
        placed[part.name] = trimesh.Trimesh(moved, part.mesh.faces, process=False)
    return placed
