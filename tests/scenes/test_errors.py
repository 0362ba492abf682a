"""What authors are told, as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes import commands
from scenes.errors import SpecError
from scenes.loading import load_spec, parse_spec
from scenes.sampling import sample_plans
from tests.scenes.stand_ins import SPEC, TYPES

# (replaced, by, the whole first line)
LINES = [
    ("{rate_m_per_s: {uniform: [0.006, 0.012]}}", "{burnrate: 1}", "k.yaml:13: events[0].params.burnrate: unknown field; known: height_m, rate_m_per_s, width_m"),
    ("rate_m_per_s:", "rate_m_per_sec:", "k.yaml:13: events[0].params.rate_m_per_sec: unknown field, did you mean 'rate_m_per_s'?"),
    ("rate_m_per_s: {uniform: [0.006, 0.012]}", "v: 0.01", "k.yaml:13: events[0].params.v: unknown field, did you mean 'rate_m_per_s'?"),
    ("0.012]", "0.4]", "k.yaml:13: events[0].params.rate_m_per_s.uniform[1]: 0.4 m/s is outside [0.004, 0.03] m/s; nearest legal value 0.03"),
    ("[0.006, 0.012]", "[0.012, 0.006]", "k.yaml:13: events[0].params.rate_m_per_s.uniform: low 0.012 is above high 0.006; write [0.006, 0.012]"),
    ("uniform: [0.006", "unifrm: [0.006", "k.yaml:13: events[0].params.rate_m_per_s.unifrm: unknown distribution, did you mean 'uniform'?"),
    ("type: rise", "type: rize", "k.yaml:11: events[0].type: unknown event type 'rize', did you mean 'rise'?"),
    ("seed: 3", "seeds: 3", "k.yaml:3: seeds: unknown field, did you mean 'seed'?"),
    ("seed: 3", "seed: 1e3", "k.yaml:3: seed: YAML reads 1e3 as text; write 1.0e+3"),
    ("seed: 3", "seed: 3\nseed: 4", "k.yaml:4: seed: given twice (first in line 3); keep one"),
    ("seed: 3", "seed: 010", "k.yaml:3: seed: YAML reads 010 as another number (octal, hex or base 60); write it in decimal"),
    ("seed: 3", "seed: -1", "k.yaml:3: seed: -1 is too small; nearest legal value 0"),
    ("version: 1", "version: 2", "k.yaml:1: version: version 2 is not known; this program reads version 1"),
    ("version: 1\n", "", "k.yaml:1: version: missing; add it"),
    ("num_frames: 48", "num_frames: 4000", "k.yaml:4: clip.num_frames: 4000 frames is outside [2, 2000] frames; nearest legal value 2000"),
    ("num_frames: 48", "num_frames: 4.5", "k.yaml:4: clip.num_frames: expected a whole number, got 4.5"),
    ("num_frames: 48", "num_frames: 48, duration_s: 6", "k.yaml:4: clip.duration_s: num_frames already says how long the clip is; keep one"),
    ("num_frames: 48", "duration_s: 5.99", "k.yaml:4: clip.duration_s: 5.99 s at 8 fps is 47.92 frames; nearest whole clip: 6 s"),
    ("fps: 8", "fps: .nan", "k.yaml:4: clip.fps: expected a finite number, got .nan"),
    ("fps: 8", "fps: fast", "k.yaml:4: clip.fps: expected a number or a distribution, got text 'fast'"),
    ("[64, 64]", "[64, 4096]", "k.yaml:4: clip.resolution[1]: 4096 px is outside [16, 2048] px; nearest legal value 2048"),
    ("[64, 64]", "[64, 63]", "k.yaml:4: clip.resolution[1]: 63 px is odd; video needs an even number, e.g. 64"),
    ("kind: tabletop", "kind: room", "k.yaml:6: world.kind: 'room' is not built yet; available: tabletop"),
    ("preset: studio", "preset: studo", "k.yaml:8: world.light.preset: unknown 'studo', did you mean 'studio'? (available: studio, window, dim)"),
    ("path: loop", "path: dolly", "k.yaml:14: camera.path: 'dolly' is not built yet; available: static, orbit, loop"),
    ("look_at: column", "look_at: glass", "k.yaml:14: camera.look_at: no event has the id 'glass'; known: centre, column"),
    ("kind: look_away", "kind: fog", "k.yaml:16: interruptions[0].kind: 'fog' is not built yet; available: look_away, lights_off"),
    ("target: column", "target: glass", "k.yaml:16: interruptions[0].target: no event has the id 'glass'; events: column"),
    ("[2.0, 2.5]}", "40}", "k.yaml:16: interruptions[0].hidden_s: does not fit: with its turns and 0.7 s of sight around, this needs a clip of 42.6 s, which lasts 6 s; hide it for less or make the clip longer"),
    ("[2.0, 2.5]}", "2.0, at_s: 3}", "k.yaml:16: interruptions[0].at_s: is back at 6.2 s of a clip of 6 s, but 0.7 s must follow; start at 2.1 s or earlier, or hide it for less"),
    ("[2.0, 2.5]}", "2.0, turn_deg: 12}", None),
    ("[2.0, 2.5]}", "0.2, turn_s: 0.1}", None),
    ("type: rise", "type: glow", None),
    ("look_at: column}", "look_at: column, distance_m: 9}", None),
    ("look_at: column}", "look_at: column, distance_m: 0.15}", None),
    ("samples: 8", "samples: yes", "k.yaml:17: render.samples: YAML reads yes as true/false; write true or false, or quote it"),
    ("engine: cycles", "engine: eevee", "k.yaml:17: render.engine: 'eevee' is not built yet; available: cycles"),
    ("twins, sweep", "flow", "k.yaml:18: outputs[3]: 'flow' is not built yet; available: rgb, depth, segmentation, twins, sweep"),
    ("twins, sweep", "rgb", "k.yaml:18: outputs[3]: 'rgb' is listed twice"),
    ("    start_s: -1.5", "\tstart_s: -1.5", "k.yaml:12: spec: YAML syntax: a tab cannot indent or start a value; use spaces"),
    ("seed: 3", "seed: !!python/object:os.system 3", "k.yaml:3: spec: tags (tag:yaml.org,2002:python/object:os.system) are not read; write a plain value"),
    ("seed: 3", "seed: &a 3", "k.yaml:3: spec: anchors (&) and aliases (*) are not read; write the value out"),
    ("id: column", "id: 'a b'", "k.yaml:10: events[0].id: expected letters, digits, _ and - (at most 64, no space)"),
    ("interruptions:\n", "interruptions: 3\nx:\n", "k.yaml:15: interruptions: expected a list (- ... lines or [a, b])"),
    ("start_s: -1.5", "start_s: 2", "k.yaml:12: events[0].start_s: 2 s is outside [-600, 0] s; nearest legal value 0"),
]  # fmt: skip
PARTS = {  # where numbers of the solution are in the line, its start and a part of it
    "2.0, turn_deg: 12}": ("k.yaml:16: interruptions[0].turn_deg: 12 deg do not hide 'column' and its shadow; at least ", "leave turn_deg out"),
    "0.2, turn_s: 0.1}": ("k.yaml:16: interruptions[0].hidden_s: level changes by ", "less than the 0.01 m that count as moved"),
    "look_at: column, distance_m: 9}": ("k.yaml:16: interruptions[0].target: what shows the state of 'column' covers about ", "less than the 120 it needs"),
    "look_at: column, distance_m: 0.15}": ("k.yaml:14: camera.distance_m: 'column' does not stay in the picture", "leave distance_m out"),
}  # fmt: skip


def first_line(text: str) -> str | None:
    try:
        sample_plans(parse_spec(text, "k.yaml", TYPES), 1, event_types=TYPES)
    except SpecError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("old", "new", "line"), LINES, ids=[new[:30] for _, new, _ in LINES])
def test_error_lines(old: str, new: str, line: str | None) -> None:
    assert old in SPEC
    text = SPEC.replace(old, new, 1)
    if old == "type: rise" and new == "type: glow":
        text = text.replace("look_away", "lights_off")
        line = (
            "k.yaml:16: interruptions[0].kind: lights_off cannot hide anything here: 'column' (glow) gives light itself; "
            "use look_away"
        )
    found = first_line(text)
    if new in PARTS:
        start, part = PARTS[new]
        assert found is not None and found.startswith(start) and part in found
    else:
        assert found == line


def test_all_problems_are_told_in_the_order_of_the_file() -> None:
    text = SPEC.replace("seed: 3", "sed: 3").replace("engine: cycles", "engin: cycles")
    with pytest.raises(SpecError) as caught:
        parse_spec(text, "k.yaml", TYPES)
    assert [p.split(": ")[1] for p in caught.value.problems] == ["sed", "render.engin"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "f.yaml:1: spec: the file is empty; `remind scene init` writes a starter"),
        (b"# nothing\n", "f.yaml:1: spec: the file is empty; `remind scene init` writes a starter"),
        (b"- 1\n", "f.yaml:1: spec: expected `field: value` lines at the top"),
        (b"a: 1\nb: \xff\n", "f.yaml:2: spec: not UTF-8 text (byte 8); save the file as UTF-8"),
        (b"x" * 300_000, "f.yaml:1: spec: larger than 256 kB; a scene spec is a small text file"),
        (b"a: " + b"[" * 3000, "f.yaml:1: spec: nested deeper than 24 levels"),
        (b'a: "\\UFFFFFFFF"\n', None),
        (b"a: 1\n---\nb: 2\n", None),
    ],
)
def test_bad_files(content: bytes, line: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec("f.yaml", TYPES)
    assert str(caught.value) == line if line else str(caught.value).startswith("f.yaml:")


def test_missing_file_and_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=r"no such file; `remind scene init no\.yaml` writes a starter"):
        load_spec("no.yaml", TYPES)
    with pytest.raises(SpecError, match="is a directory"):
        load_spec(tmp_path, TYPES)
    with pytest.raises(SpecError):
        load_spec("nul\0.yaml", TYPES)


def test_starter_checks_clean_and_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kitchen.yaml"
    assert "remind scene check" in commands.init(path)
    assert commands.check([path]) == f"{path}: good"
    with pytest.raises(SpecError, match="exists already"):
        commands.init(path)


def test_check_names_every_problem_of_every_file(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(SPEC.replace("seed", "sed"))
    with pytest.raises(ValueError) as caught:
        commands.check([tmp_path / "a.yaml", tmp_path / "b.yaml"], TYPES)
    assert [line.split(":")[0][-6:] for line in str(caught.value).splitlines()] == ["a.yaml", "b.yaml"]
