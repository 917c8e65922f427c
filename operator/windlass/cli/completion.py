"""`windlass completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  source <(windlass completion bash)
    zsh:   source <(windlass completion zsh)
    fish:  windlass completion fish | source
    """
    found = get_completion_class(shell)
    assert found is not None, "click knows each shell of the choice"
    completer = found(ctx.find_root().command, {}, "windlass", "_WINDLASS_COMPLETE")
    # The class's own `source` would start bash to ask for its version.
    click.echo(completer.source_template % completer.source_vars())
