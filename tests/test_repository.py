"""The repository's own rules: style, types, imports between the rooms, the wheel, what imports where."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("simulator", "scenes", "event_library", "render_jobs", "trainer")
SOURCES = sorted(p for name in PACKAGES for p in (REPOSITORY / name).rglob("*.py")) + sorted(REPOSITORY.glob("*.py"))
ALL_PYTHON = SOURCES + sorted(p for name in ("tests", "benchmarks") for p in (REPOSITORY / name).rglob("*.py"))
MAX_LINES = 450
TOOLS = Path(sys.executable).parent


def run(*command: str, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def assert_clean(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["ruff check .", "mypy", "lint-imports"])
def test_tool_finds_nothing(command: str) -> None:
    tool, *arguments = command.split()
    assert_clean(run(str(TOOLS / tool), *arguments))


def test_no_long_files() -> None:
    long = [str(path) for path in ALL_PYTHON if len(path.read_text().splitlines()) > MAX_LINES]
    assert not long


GLOBAL_RANDOMNESS = {
    r"default_rng\(\s*\)": "a generator without a seed",
    r"default_rng\(\s*None": "a generator without a seed",
    r"\bnp\.random\.(?!default_rng|Generator|SeedSequence|PCG64|Philox)\w+\(": "numpy's global generator",
    r"^\s*(import random\b|from random import)": "Python's global generator",
    r"SeedSequence\(\s*\)": "a seed from the operating system",
    r"[^\w.]hash\([^)]": "hash() differs between processes",
}


@pytest.mark.parametrize("pattern", GLOBAL_RANDOMNESS)
def test_no_global_randomness(pattern: str) -> None:
    found = [str(path) for path in SOURCES if re.search(pattern, path.read_text(), re.MULTILINE)]
    assert not found, GLOBAL_RANDOMNESS[pattern]


def test_patterns_of_global_randomness_find_it() -> None:
    guilty = "x = np.random.default_rng()\nnp.random.normal()\nimport random\n y = hash(3)\nSeedSequence()\n"
    guilty += "default_rng(None)"
    assert all(re.search(pattern, guilty, re.MULTILINE) for pattern in GLOBAL_RANDOMNESS)
    assert not any(re.search(p, "np.random.default_rng(seed)  # rng.random()", re.MULTILINE) for p in GLOBAL_RANDOMNESS)


def python_modules(room: str) -> list[str]:
    folder = REPOSITORY / room
    files = sorted(p for p in folder.rglob("*.py") if p.name != "__main__.py")
    dotted = [".".join(p.relative_to(REPOSITORY).with_suffix("").parts) for p in files]
    return [name.removesuffix(".__init__") for name in dotted]


def import_without(*stages: tuple[list[str], list[str]]) -> subprocess.CompletedProcess[str]:
    """Import modules where others are absent; stages follow each other in one process, for torch takes seconds."""
    code = f"""
import sys, importlib
for modules, absent in {stages!r}:
    sys.modules.update(dict.fromkeys(absent))
    for name in modules:
        importlib.import_module(name)
    for name in absent:
        del sys.modules[name]
"""
    return run(sys.executable, "-c", code)


def test_training_needs_neither_renderers_nor_pydantic_and_all_but_the_workers_no_renderers() -> None:
    renderers = ["bpy", "mathutils", "pyrender", "OpenGL"]
    training = ["remind", "simulator.clip", *python_modules("trainer")]
    commands = [path.stem for path in REPOSITORY.glob("*.py")]
    rooms = [name for room in PACKAGES for name in python_modules(room)]
    rest = [name for name in rooms if not name.startswith(("simulator.blender", "simulator.preview."))]
    bare = [*renderers, "pydantic", "trimesh", "embreex", "mujoco"]
    assert_clean(import_without((training, bare), ([*commands, *rest], renderers)))


def test_clips_are_read_without_torch() -> None:
    absent = ["torch", "diffusers", "pydantic", "bpy", "scipy", "trimesh"]
    assert_clean(import_without((["simulator.clip"], absent)))


def requirements(python: str) -> dict[str, Requirement]:
    """What a base install asks for under a Python version."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    return {r.name: r for r in asked if r.marker is None or r.marker.evaluate({"python_version": python})}


def test_versions_that_satisfy() -> None:
    old, new = requirements("3.11"), requirements("3.12")
    assert "bpy" in old and "bpy" not in new
    assert "1.26.4" in old["numpy"].specifier and "2.0.0" not in old["numpy"].specifier
    assert "2.2.0" in new["numpy"].specifier
    for torch in (old["torch"].specifier, new["torch"].specifier):
        assert all(version in torch for version in ("2.11.0", "2.13.0", "2.13.0+cpu"))
        assert not any(version in torch for version in ("2.13.1", "2.14.0"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources and unpacked elsewhere."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    for path in REPOSITORY.glob("*.py"):
        shutil.copy(path, source)
    for name in PACKAGES:
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    wheels = tmp_path_factory.mktemp("wheels")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    assert_clean(run(*pip, "--wheel-dir", str(wheels), str(source)))
    (wheel,) = wheels.glob("remind_sim-*.whl")
    target = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(target)
    return target


def test_wheel_holds_every_file_of_the_packages(installed: Path) -> None:
    expected = {
        str(path.relative_to(REPOSITORY))
        for name in PACKAGES
        for path in (REPOSITORY / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert not expected - found
    assert not [name for name in found if name.startswith(("tests", "benchmarks"))]


def test_wheel_works_from_another_directory(installed: Path, tmp_path: Path) -> None:
    """All of its specs are planned from the sources, in tests/scenes; here the first stands for them."""
    spec, *_ = sorted((installed / "scenes" / "specs").glob("*.yaml"))
    code = "import sys, remind, scenes; print(remind.__file__); print(scenes.__file__); sys.exit(remind.main())"
    command = (sys.executable, "-c", code, "scene", "check", str(spec))
    done = run(*command, cwd=tmp_path, PYTHONPATH=str(installed))
    assert_clean(done)
    assert done.stdout.split()[:2] == [str(installed / "remind.py"), str(installed / "scenes" / "__init__.py")]
