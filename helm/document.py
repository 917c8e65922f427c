"""Write what is made from the comments of the chart's values.yaml: the README's table and the schema's descriptions.

    python3 helm/document.py [--check]

A comment that begins with `# --` documents the key below it. With --check nothing is written, and the exit code is 1
when a file is not what the comments say.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parent / "windlass"
KEY = re.compile(r"^( *)([A-Za-z]\w*):")
DOC = re.compile(r"^ *# -- (.*)$")
MORE = re.compile(r"^ *# (.*)$")
BEGIN, END = "<!-- values -->", "<!-- end of values -->"
Path_ = tuple[str, ...]


def documented(text: str) -> dict[Path_, str]:
    """The documentation of each value that has some, by the path of its key."""
    found: dict[Path_, str] = {}
    above: list[tuple[int, str]] = []
    doc: list[str] = []
    for line in text.splitlines():
        if begins := DOC.match(line):
            doc = [begins[1]]
        elif doc and (goes_on := MORE.match(line)):
            doc.append(goes_on[1])
        elif key := KEY.match(line):
            indent = len(key[1])
            above = [(depth, name) for depth, name in above if depth < indent] + [(indent, key[2])]
            if doc:
                found[tuple(name for _, name in above)] = " ".join(doc)
            doc = []
        else:
            doc = []
    return found


def table(docs: Mapping[Path_, str], values: Mapping[str, Any]) -> str:
    """The values as a table of Markdown."""
    rows = [f"| `{'.'.join(path)}` | {default(values, path)} | {doc} |" for path, doc in docs.items()]
    return "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])


def default(values: Mapping[str, Any], path: Path_) -> str:
    """A default as it stands in the table: what is long is to be seen in values.yaml."""
    value: Any = values
    for name in path:
        value = value[name]
    text = json.dumps(value)
    return f"`{text}`" if len(text) <= 60 else "see [values.yaml](values.yaml)"


def described(schema: dict[str, Any], docs: Mapping[Path_, str]) -> dict[str, Any]:
    """The schema with the documentation in its descriptions."""
    return _described(schema, docs, ())


def _described(schema: dict[str, Any], docs: Mapping[Path_, str], path: Path_) -> dict[str, Any]:
    rest = {key: value for key, value in schema.items() if key != "description"}
    if "properties" in rest:
        rest["properties"] = {
            name: _described(inner, docs, (*path, name)) for name, inner in rest["properties"].items()
        }
    return {"description": docs[path], **rest} if path in docs else rest


def generated() -> dict[Path, str]:
    """What the files should hold."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    docs = documented(text)
    readme, schema = CHART / "README.md", CHART / "values.schema.json"
    head, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    whole = described(json.loads(schema.read_text(encoding="utf-8")), docs)
    return {
        readme: f"{head}{BEGIN}\n{table(docs, yaml.safe_load(text))}\n{END}{tail}",
        schema: json.dumps(whole, indent=2, ensure_ascii=False) + "\n",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not up to date")
    options = parser.parse_args()
    stale = {path: text for path, text in generated().items() if path.read_text(encoding="utf-8") != text}
    for path, text in stale.items():
        if options.check:
            sys.stderr.write(f"{path} is not what values.yaml says: run make generate\n")
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path}\n")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
