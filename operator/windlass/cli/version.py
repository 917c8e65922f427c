"""`windlass version`."""

from __future__ import annotations

import click

from windlass import __version__
from windlass.cli.output import Format, format_option, structured


@click.command("version")
@format_option(Format.JSON, Format.YAML)
def command(output: Format | None) -> None:
    """Print the version."""
    click.echo(f"windlass {__version__}" if output is None else structured({"version": __version__}, output))
