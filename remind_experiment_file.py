"""The file of `remind experiment`: data sets, arms and seeds, checked before anything is rendered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from scenes.checking import checked
from scenes.errors import Problem, SpecError
from scenes.fields import as_pydantic
from scenes.spec import Model, Name
from scenes.yaml_reading import parse, read_text
from trainer.config import TrainConfig, override, validate
from trainer.recipes import arm, recipe

TRAIN = "train"


class DataSet(Model):
    specs: tuple[str, ...] = ()
    """Scene specs or folders of them, relative to this file."""
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Samples of each spec."""
    dataset: str | None = None
    """Instead of specs: a data set or pack that is there already."""

    @model_validator(mode="after")
    def _one_origin(self) -> DataSet:
        if bool(self.specs) == (self.dataset is not None):
            raise as_pydantic(Problem("give specs to render or a dataset that is there, one of the two", ("specs",)))
        return self


class Data(Model):
    train: DataSet
    heldout: dict[Name, DataSet]
    """Splits to probe on, by name; the first also scores runs while they train."""

    @model_validator(mode="after")
    def _some(self) -> Data:
        if not self.heldout or TRAIN in self.heldout:
            reason = "is the training data's name" if self.heldout else "needs at least one entry"
            raise as_pydantic(Problem(f"{reason}; name a split", ("heldout",)))
        return self


class Arm(Model):
    recipe: str | None = None
    """Instead of the experiment's."""
    curriculum: Literal["none", "drop_noise", "all"] | None = None
    """None: the recipe's own."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields of the configuration, such as model.mode: full."""


class Probing(Model):
    """Options of `remind probe`; those left out are as by default there."""

    samples: Annotated[int, Field(ge=1, le=64)] = 1
    steps: Annotated[int, Field(ge=1)] | None = None
    guidance: float | None = None
    sink: Annotated[int, Field(ge=0)] | None = None
    window: Annotated[int, Field(ge=0)] | None = None
    capacity: Annotated[int, Field(ge=1)] | None = None

    @property
    def arguments(self) -> list[str]:
        """As the command line has them."""
        given = [(name, value) for name, value in self.model_dump().items() if value is not None]
        return [text for name, value in given for text in (f"--{name}", str(value))]


class Experiment(Model):
    version: Literal[1]
    name: Name
    recipe: str
    set: dict[str, Any] = Field(default_factory=dict)
    """For all arms."""
    data: Data
    arms: dict[Name, Arm]
    seeds: tuple[int, ...] = (0,)
    probe: Probing = Probing()

    @model_validator(mode="after")
    def _enough(self) -> Experiment:
        if not self.arms or not self.seeds:
            raise as_pydantic(Problem("needs at least one entry", ("arms" if not self.arms else "seeds",)))
        if len(set(self.seeds)) < len(self.seeds):
            raise as_pydantic(Problem("a seed is there twice; keep one", ("seeds",)))
        return self


@dataclass(frozen=True)
class Run:
    """One arm with one seed."""

    arm: str
    seed: int
    config: TrainConfig
    arguments: tuple[str, ...]  # of `remind train`, without data and folder

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.seed}"


def load_experiment(path: Path, *, here: bool = True) -> tuple[Experiment, list[Run]]:
    """The file, and its runs in the order in which they are done: all arms with the first seed, then the next seed.

    here: specs and data sets that it names lie beside it (not so for the copy in an experiment's folder).
    SpecError with file, line, field and fix for whatever cannot be run.
    """
    name = " ".join(str(path).split())
    if not path.exists():
        raise SpecError(
            [f"{name}:1: experiment: no such file; benchmarks/experiments/two_kinds.yaml is one to begin with"]
        )
    tree, source = parse(read_text(path, name), name)
    experiment = checked(Experiment, tree, source)
    if here and (gone := _missing(experiment, path.parent)):
        raise source.error(gone)
    runs, problems = [], []
    for seed in experiment.seeds:
        for arm_name in experiment.arms:
            try:
                runs.append(_run(experiment, arm_name, seed))
            except ValueError as error:
                problems.append(Problem(str(error), ("arms", arm_name)))
        if problems:
            raise source.error(problems)
    return experiment, runs


def _missing(experiment: Experiment, beside: Path) -> list[Problem]:
    """Specs and data sets that are not where the file says."""
    problems = []
    for name, data in data_sets(experiment).items():
        place = ("data", TRAIN) if name == TRAIN else ("data", "heldout", name)
        if data.dataset is not None and not (beside / data.dataset).is_dir():
            problems.append(Problem(f"no such folder {data.dataset!r}; render it first", (*place, "dataset")))
        for number, spec in enumerate(data.specs):
            if not (beside / spec).exists():
                problems.append(Problem(f"no such file {spec!r} beside this one", (*place, "specs", number)))
    return problems


def _run(experiment: Experiment, arm_name: str, seed: int) -> Run:
    chosen = experiment.arms[arm_name]
    if "seed" in {**experiment.set, **chosen.set}:
        raise ValueError("set.seed: every arm runs with all of `seeds`; say it there")
    settings = {**experiment.set, **chosen.set, "seed": seed}
    texts = {field: _as_text(value) for field, value in settings.items()}
    base = override(recipe(chosen.recipe or experiment.recipe), {n: v for n, v in texts.items() if n == "steps"})
    config = override(arm(base, chosen.curriculum), texts)
    validate(config)
    arguments = [chosen.recipe or experiment.recipe]
    if chosen.curriculum:
        arguments += ["--curriculum", chosen.curriculum]
    arguments += ["--set", *(f"{field}={value}" for field, value in texts.items())]
    return Run(arm_name, seed, config, tuple(arguments))


def _as_text(value: Any) -> str:
    """A setting as `--set` reads it."""
    return value if isinstance(value, str) else json.dumps(value)


def data_sets(experiment: Experiment) -> dict[str, DataSet]:
    """By name, the training data first."""
    return {TRAIN: experiment.data.train, **experiment.data.heldout}
