"""The type of options that are lengths of time."""

from __future__ import annotations

import click


class Length(click.ParamType[float]):
    """A length of time in seconds, written as in a manifest."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from windlass.models.common import seconds

        try:
            return seconds(str(value))
        except ValueError:
            self.fail(f"{value!r} is no length of time: write 90s, 5m or 1h30m", param, ctx)
