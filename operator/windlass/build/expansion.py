"""`$(VAR)` in commands, arguments and values of the environment, by the rules of Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_REFERENCE: Final = re.compile(r"\$\$|\$\(([^)]*)\)")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`text` with `$(VAR)` replaced and `$$` as `$`; a reference to an unknown variable stays as it is."""

    def replaced(found: re.Match[str]) -> str:
        if found.group(0) == "$$":
            return "$"
        return variables.get(found.group(1), found.group(0))

    return _REFERENCE.sub(replaced, text)
