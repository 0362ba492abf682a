"""Pages from templates: everything escaped, and a name that a template lacks is an error."""

from __future__ import annotations

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
