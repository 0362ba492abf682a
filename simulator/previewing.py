"""`remind scene preview`: what a spec does before it is rendered. Frames, the scene from above, the state over time."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from event_library.base import Variable
from scenes.cameras import envelope
from scenes.loading import load_spec
from scenes.plan import InterruptionPlan, ScenePlan
from scenes.sampling import sample_plans
from simulator.clip import Window
from simulator.clip_writer import prompt_of
from simulator.from_above import AWAY_COLOUR, EVENT_COLOUR, PATH_COLOUR, draw_from_above, view_wedge
from simulator.preview import open_preview
from simulator.produce import Camera
from simulator.rays import RayCaster
from simulator.stage import Shot, Stage
from simulator.timeline import clip_clock, event_times_s, observed_shots, truth_shots
from simulator.visibility import hidden_windows, see

SHEET_FRAMES, SHEET_IN = 12, 9.4  # how many pictures, and how wide they are together, inches
SHEET_WIDTH_PX, FILM_WIDTH_PX = 288, 448
SIGHT_WIDTH_PX = 128  # at most: what is seen and what is hidden shows at that
DPI = 100
MAX_CURVES = 3
INK, FAINT, GOOD, BAD = "#22262b", "#8b9097", "#2f7d4f", "#b3261e"
KIND_COLOURS = {
    "look_away": AWAY_COLOUR, "occluder": "#6b4a9c", "lights_off": "#3a3f46", "fog": "#7d97a8", "blackout": "#111111",
    "frame_drop": "#a04668", "corrupt": "#5c8a3a",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Everything that a preview shows of one plan."""

    stage: Stage
    shots: list[Shot]
    pictures: NDArray[np.uint8]  # [T, H, W, 3]
    windows: tuple[Window, ...]
    trouble: str  # why there are no windows; empty when all is well

    @property
    def plan(self) -> ScenePlan:
        return self.stage.plan

    @property
    def times_s(self) -> NDArray[np.float64]:
        return clip_clock(self.plan).frame_times_s


def preview(path: Path, index: int = 0, out: Path | None = None) -> str:
    """Write a contact sheet (*.png) or a film (*.mp4) of a spec's plan `index`, or of a plan file; says where and what.

    Raises ValueError for a bad spec, a bad file name, and where pictures cannot be drawn.
    """
    out = Path(f"{path.stem}-{index:05d}.png") if out is None else out
    if out.suffix not in _WRITERS:
        raise ValueError(f"--out: {out}: neither a picture (*.png) nor a film (*.mp4)")
    if not out.parent.is_dir():
        raise ValueError(f"--out: {out}: its folder does not exist; make it first")
    if index < 0:
        raise ValueError(f"--index: {index}: must be 0 or more")
    plan = ScenePlan.read(path) if path.suffix == ".json" else sample_plans(load_spec(path), 1, index)[0]
    width_px, write = _WRITERS[out.suffix]
    found = look(plan, width_px)
    write(found, out)
    return "\n".join([f"wrote {out}", *_summary(found)])


def look(plan: ScenePlan, width_px: int) -> Look:
    """All frames of a plan by the preview renderer, `width_px` wide."""
    stage = Stage.from_plan(_resized(plan, width_px))
    shots = truth_shots(stage.plan)
    pictures = Camera(RayCaster(stage), open_preview(stage), lambda done, total: None).take(shots)
    small = Stage.from_plan(_resized(plan, min(plan.clip.width_px, SIGHT_WIDTH_PX)))
    _, visibility = see(small, RayCaster(small))
    try:
        windows, trouble = hidden_windows(small.plan, visibility), ""
    except ValueError as error:  # an author wants to see just such a plan
        windows, trouble = (), str(error)
    return Look(stage, shots, pictures, windows, trouble)


def _resized(plan: ScenePlan, width_px: int) -> ScenePlan:
    """The same view on fewer or more pixels, with even sides."""
    height_px = 2 * round(width_px * plan.clip.height_px / plan.clip.width_px / 2)
    return dataclasses.replace(plan, clip=dataclasses.replace(plan.clip, width_px=width_px, height_px=height_px))


def _summary(found: Look) -> list[str]:
    lines = [_interruption(i) for i in found.plan.interruptions] or ["no interruption"]
    for window in found.windows:
        lines.append(f"{window.target} last seen at frame {window.t_h}, seen again at frame {window.t_r}")
    return lines + ([f"not as planned: {found.trouble}"] if found.trouble else [])


def _interruption(plan: InterruptionPlan) -> str:
    how = {"look_away": plan.motion, "corrupt": plan.corruption}.get(plan.kind, "")
    how = plan.occluder.kind if plan.occluder is not None else how
    kind = f"{plan.kind} ({how})" if how else plan.kind
    return f"{kind} of {plan.target}, hidden {plan.hidden_from_s:.2f}-{plan.hidden_to_s:.2f} s"


# ---- the contact sheet
def write_sheet(found: Look, out: Path) -> None:
    """One PNG: twelve frames, the scene from above, the curves."""
    height, width = found.pictures.shape[1:3]
    columns = 4 if height > 0.75 * width else 3
    rows, cell_in = SHEET_FRAMES // columns, SHEET_IN / columns
    row_in = cell_in * height / width + 0.28  # with the words above it
    size_in = (SHEET_IN + 6.0, max(rows * row_in + 1.35, 8.6))
    figure = Figure(figsize=size_in, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _write_head(figure, found)
    left, top = SHEET_IN + 0.5, 1 - 1.2 / size_in[1]
    grid = figure.add_gridspec(
        rows, columns, left=0.25 / size_in[0], right=(left - 0.1) / size_in[0], top=top,
        bottom=max(top - rows * row_in / size_in[1], 0.01), wspace=0.04, hspace=0.28 / (row_in - 0.28),
    )  # fmt: skip
    for cell, frame in enumerate(_chosen_frames(found)):
        _show_frame(figure.add_subplot(grid[divmod(cell, columns)]), found, frame)
    _draw_side(figure, found, (left + 0.75) / size_in[0], 1 - 0.3 / size_in[0], top)
    figure.savefig(out)


def _chosen_frames(found: Look) -> list[int]:
    """Evenly over the clip, with the last sight before and the first after each window among them."""
    count = min(SHEET_FRAMES, len(found.shots))
    frames = np.linspace(0, len(found.shots) - 1, count).round().astype(int)
    marks = [frame for window in found.windows[: count // 3] for frame in (window.t_h, window.t_r)]
    for mark in marks:
        free = [i for i in range(1, count - 1) if frames[i] not in marks]
        if mark not in frames and free:
            frames[min(free, key=lambda i: abs(int(frames[i]) - mark))] = mark
    return sorted(int(frame) for frame in frames)


def _show_frame(axes: Any, found: Look, frame: int) -> None:
    axes.imshow(found.pictures[frame], interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    t_s = float(found.times_s[frame])
    marks = [word for w in found.windows for word, f in (("last seen", w.t_h), ("seen again", w.t_r)) if f == frame]
    going = [i for i in found.plan.interruptions if envelope(i, t_s) > 0]
    words, colour = f"{t_s:.2f} s", INK
    if marks:
        words, colour = f"{words}  {marks[0]}", GOOD
    elif going:
        words, colour = f"{words}  {'+'.join(dict.fromkeys(i.kind for i in going))}", KIND_COLOURS[going[0].kind]
    axes.set_title(words, fontsize=8.5, color=colour, pad=3, loc="left")
    for spine in axes.spines.values():
        spine.set(color=colour if marks or going else "#c9ccd1", linewidth=2.0 if marks or going else 0.8)


# ---- what stands beside the pictures
def _write_head(figure: Any, found: Look) -> None:
    plan, size_in = found.plan, figure.get_size_inches()
    kinds = ", ".join(f"{e.id}: {e.type}" for e in plan.events)
    x, down = 0.25 / size_in[0], 1 / size_in[1]
    figure.text(x, 1 - 0.32 * down, f"{plan.name}  #{plan.index}", fontsize=15, weight="bold", color=INK)
    figure.text(x + 0.135 * (len(plan.name) + 5) / size_in[0], 1 - 0.32 * down, kinds, fontsize=10, color=FAINT)
    lines = textwrap.wrap(prompt_of(found.stage), int(size_in[0] * 14.5))[:2]
    figure.text(x, 1 - 0.42 * down, "\n".join(lines), fontsize=8.5, color=INK, va="top", style="italic")
    told, colour = "; ".join(_interruption(i) for i in plan.interruptions) or "no interruption", INK
    if found.trouble:
        told, colour = f"not as planned: {found.trouble}", BAD
    figure.text(x, 1 - 0.86 * down, told, fontsize=9, color=colour, va="center")


def _draw_side(figure: Any, found: Look, left: float, right: float, top: float) -> tuple[Any, list[Any]]:
    """The scene from above and, under it, a curve for each of the first events; returns their axes."""
    curves = _curves(found)
    grid = figure.add_gridspec(
        1 + len(curves), 1, left=left, right=right, top=top, bottom=0.07, hspace=0.42,
        height_ratios=[2.2, *[1.3 if len(curves) == 1 else 0.9] * len(curves)],
    )  # fmt: skip
    above = figure.add_subplot(grid[0])
    draw_from_above(above, found.stage, found.shots, observed_shots(found.plan))
    above.set_title("from above: camera path and view; orange looks away", fontsize=8.5, color=FAINT, loc="left")
    axes: list[Any] = []
    for row, (event, (variable, values)) in enumerate(curves.items(), start=1):
        own = figure.add_subplot(grid[row], sharex=axes[0] if axes else None)
        _draw_curve(own, found, event, variable, values)
        own.tick_params(labelbottom=row == len(curves))
        axes.append(own)
    axes[-1].set_xlabel("clip time [s]", fontsize=8.5)
    return above, axes


def _curves(found: Look) -> Mapping[str, tuple[Variable, NDArray[np.float64]]]:
    """Targets first: event id -> its probe variable and values [T, K]."""
    targets = dict.fromkeys(i.target for i in found.plan.interruptions)
    names = list({**targets, **dict.fromkeys(found.stage.events)})[:MAX_CURVES]
    curves = {}
    for name in names:
        event = found.stage.events[name]
        variable = event.probe_variable()
        values = np.asarray(event.states(event_times_s(found.plan)[name])[variable.name], dtype=np.float64)
        curves[name] = (variable, values.reshape(len(values), -1))
    return curves


def _draw_curve(axes: Any, found: Look, event: str, variable: Variable, values: NDArray[np.float64]) -> None:
    for interruption in found.plan.interruptions:
        if interruption.target == event:
            colour = KIND_COLOURS[interruption.kind]
            axes.axvspan(interruption.out_s, interruption.back_s, color=colour, alpha=0.10, lw=0)
            axes.axvspan(interruption.hidden_from_s, interruption.hidden_to_s, color=colour, alpha=0.22, lw=0)
    step = "steps-post" if variable.domain in ("count", "discrete") else "default"
    axes.plot(found.times_s, values, color=EVENT_COLOUR, lw=1.6, drawstyle=step)
    for window in found.windows:
        if window.target == event:
            for frame, word in ((window.t_h, "t_h"), (window.t_r, "t_r")):
                t_s = float(found.times_s[frame])
                axes.axvline(t_s, color=GOOD, lw=1.2, ls="--")
                axes.annotate(
                    word, (t_s, 1.0), xycoords=("data", "axes fraction"), xytext=(2, -9), textcoords="offset points",
                    fontsize=8, color=GOOD,
                )  # fmt: skip
    unit = "" if variable.unit in ("", "1") else f" [{variable.unit}]"
    axes.set_title(f"{event}: {variable.label or variable.name}{unit}", fontsize=9, color=INK, loc="left")
    axes.set_xlim(0, len(found.shots) / found.plan.clip.fps)
    axes.margins(y=0.12)
    axes.tick_params(labelsize=7.5)
    axes.grid(color="#e4e6e9", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)


# ---- the film
def write_film(found: Look, out: Path) -> None:
    """One MP4 at the clip's own rate: the picture, the camera on its way, the time on the curves."""
    figure = Figure(figsize=(12.8, 7.2), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    _write_head(figure, found)
    screen = figure.add_axes((0.02, 0.05, 0.54, 0.76))
    screen.set(xticks=[], yticks=[])
    image = screen.imshow(found.pictures[0], interpolation="bilinear", animated=True)
    above, curves = _draw_side(figure, found, 0.63, 0.98, 0.82)
    (spot,) = above.plot([], [], "o", color=PATH_COLOUR, ms=8, mec="white", zorder=10, animated=True)
    now = [axes.axvline(0.0, color=INK, lw=1.2, animated=True) for axes in curves]
    clock = screen.set_title("", fontsize=10, color=INK, loc="left", animated=True)
    canvas.draw()
    still = canvas.copy_from_bbox(figure.bbox)
    reach_m = float(np.diff(above.get_xlim())[0]) / 2
    frames: list[Any] = []
    for frame, (shot, t_s) in enumerate(zip(found.shots, found.times_s, strict=True)):
        canvas.restore_region(still)
        image.set_data(found.pictures[frame])
        spot.set_data(*([v] for v in shot.world_from_camera[:2, 3]))
        wedge = above.add_patch(view_wedge(found.stage, shot, reach_m, AWAY_COLOUR))
        clock.set_text(f"{t_s:.2f} s   frame {frame}")
        for line in now:
            line.set_xdata([t_s, t_s])
        for artist in (image, clock, wedge, spot, *now):
            artist.axes.draw_artist(artist)
        wedge.remove()
        frames.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    options: dict[str, Any] = {"macro_block_size": 1, "codec": "libx264", "output_params": ["-crf", "16"]}
    imageio.mimwrite(out, frames, fps=found.plan.clip.fps, **options)


_WRITERS = {".png": (SHEET_WIDTH_PX, write_sheet), ".mp4": (FILM_WIDTH_PX, write_film)}
