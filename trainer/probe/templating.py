"""Pages from templates: everything escaped, and a name that a template lacks is an error."""

from __future__ import annotations

import os
from pathlib import Path

import jinja2


def template(package: str, name: str) -> jinja2.Template:
    """The template `name` in the folder `templates` of a package."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def make_folder(folder: Path) -> None:
    """Where pages go: made before hours are spent on what is in them. ValueError when it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{folder}: cannot be made a folder ({error.strerror}); give another") from None


def publish(path: Path, page: str) -> None:
    """Write a page by a rename: a reader sees the old one or the new one, never a part."""
    partial = path.with_suffix(f".partial{os.getpid()}")
    partial.write_text(page, encoding="utf-8")
    os.replace(partial, path)
