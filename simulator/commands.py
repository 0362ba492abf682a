"""What `remind clip` does: functions that return text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from simulator.clip import Clip, list_clips
from simulator.clip_files import is_clip
from simulator.export import EXPORTERS
from untrusted import one_line


def clip_paths(paths: list[Path]) -> list[Path]:
    """Clips named directly or through their data set or pack. Raises ValueError when there is none."""
    found = [c for p in paths for c in ([p] if is_clip(p) else list_clips(p))]
    if not found:
        raise ValueError(f"{', '.join(map(str, paths))}: no clip here; give a clip, a data set or a pack")
    return found


@contextmanager
def told(path: Path) -> Iterator[None]:
    """A clip whose files contradict each other is told in a line, wherever the contradiction shows."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        what = one_line(f"{path}: its files don't agree ({type(error).__name__}: {error})")
        raise ValueError(f"{what}; `remind clip verify {path}` says more") from None


def info(path: Path) -> str:
    """What a clip shows, in a few lines. Raises ValueError for a broken one."""
    with told(path):
        return _info(Clip.open(path))


def _info(clip: Clip) -> str:
    path = clip.path
    height, width = clip.rgb.shape[1:3]
    types = ", ".join(f"{event} ({kind})" for event, kind in clip.manifest["event_types"].items())
    origin = f"rendered on {clip.manifest['device']}"
    if clip.stateless:
        types = "an imported video, no events"
        origin = "cameras known" if clip.cameras_known else "cameras unknown"
    lines = [
        f"{path}",
        f"  {clip.plan['name']} #{clip.plan['index']}: {types}",
        f"  {clip.num_frames} frames {width}x{height} at {clip.fps:g} fps, scene {clip.scene_id}, {origin}",
        f"  prompt: {clip.prompt}",
    ]
    for w in clip.windows:
        hidden = f"{len(w.hidden_frames)} fully hidden frames {w.hidden_frames[0]}..{w.hidden_frames[-1]}"
        lines.append(f"  {w.kind} of {w.target}: last seen at frame {w.t_h}, {hidden}, seen again at frame {w.t_r}")
    lines.append(f"  arrays: {', '.join(sorted(clip.manifest['arrays']))}")
    return "\n".join(lines)


def export(paths: list[Path], to: str, out: Path) -> list[str]:
    """Write clips in another tool's format; returns what was written. Raises ValueError where that cannot be."""
    found = clip_paths(paths)
    with told(found[0] if len(found) == 1 else paths[0]):
        return [str(path) for path in EXPORTERS[to]([Clip.open(path) for path in found], out)]


def states(path: Path, event: str | None = None, at_s: float | None = None) -> str:
    """The truth as a table: every variable at every frame, or at the frame nearest to `at_s`.

    Raises ValueError for an unknown event, a time outside the clip, or a broken clip.
    """
    with told(path):
        return _states(Clip.open(path), event, at_s)


def _states(clip: Clip, event: str | None, at_s: float | None) -> str:
    path = clip.path
    if clip.stateless:
        return f"{path}: an imported video, it has no states"
    events = list(clip.variables)
    if event is not None and event not in events:
        raise ValueError(f"{path}: no event {event!r}; it has {', '.join(events)}")
    if at_s is not None and not 0 <= at_s < clip.num_frames / clip.fps:
        raise ValueError(f"--at {at_s:g}: outside the clip [0, {clip.num_frames / clip.fps:g}) s")
    frames = range(clip.num_frames) if at_s is None else [min(round(at_s * clip.fps), clip.num_frames - 1)]
    lines = []
    for name in [event] if event else events:
        columns = [v for v in clip.variables[name] if (clip.states["variable"] == v).any()]
        series = {v: clip.series(name, v) for v in columns}
        own = (clip.states["event"] == name) & (clip.states["variable"] == columns[0])
        order = np.argsort(clip.states["frame"][own])
        seen, causes = clip.states["visible_fraction"][own][order], clip.states["hidden_by"][own][order]
        heads = [f"{v} [{clip.variables[name][v]['unit']}]" for v in columns]
        lines.append(f"{name} ({clip.manifest['event_types'][name]}) in {path}")
        lines.append("  ".join(["frame", "   t_s", "seen", *(f"{h:>14}" for h in heads), "hidden by"]))
        for f in frames:
            cells = [f"{series[v][f]:>{max(14, len(h))}.6g}" for v, h in zip(columns, heads, strict=True)]
            cause = causes[f] or ""
            lines.append("  ".join([f"{f:5d}", f"{f / clip.fps:6.3f}", f"{seen[f]:4.2f}", *cells, cause]).rstrip())
    return "\n".join(lines)
