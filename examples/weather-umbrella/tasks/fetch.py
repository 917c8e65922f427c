"""Fetch one data set into the workspace: `fetch.py weather data/weather.csv`, or a URL instead of the file."""

from __future__ import annotations

import argparse
import urllib.request
from pathlib import Path

from handover import read_csv, workspace_file, write_outputs

TIMEOUT = 60.0


def fetch(address: str) -> bytes:
    """What stands at an address: a URL, or a path relative to the tasks' code."""
    if "://" not in address:
        return (Path(__file__).parent / address).read_bytes()
    with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
        body: bytes = answer.read()
    return body


def main() -> None:
    """Fetch what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="what it is: its file in the workspace is <name>-raw.csv")
    parser.add_argument("address", help="a URL, or a path relative to the tasks' code")
    arguments = parser.parse_args()
    target = workspace_file(f"{arguments.name}-raw.csv")
    target.write_bytes(fetch(arguments.address))
    rows = len(read_csv(target))
    write_outputs({"rows": rows})
    print(f"{rows} rows of {arguments.name} from {arguments.address}")


if __name__ == "__main__":
    main()
