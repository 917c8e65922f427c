"""`windlass crds`."""

from __future__ import annotations

import click


@click.command("crds")
def command() -> None:
    """Print the custom resource definitions, to be piped into `kubectl apply -f -`."""
    from windlass.models import crd

    texts = (crd.to_yaml(definition) for definition in crd.definitions().values())
    click.echo("".join(text if text.startswith("---") else f"---\n{text}" for text in texts), nl=False)
