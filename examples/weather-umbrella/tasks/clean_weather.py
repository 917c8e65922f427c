"""Clean the weather: one row a day, degrees Celsius, traces of rain as none, days without a reading left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handover import read_csv, workspace_file, write_csv, write_outputs

COLUMNS = ("date", "temperature", "rain", "wind")


def celsius(temperature: str, unit: str) -> float:
    """A temperature in degrees Celsius."""
    degrees = float(temperature)
    return degrees if unit == "C" else (degrees - 32) * 5 / 9


def clean(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The readings of each day, by day. The last row of a day counts: stations send corrections."""
    by_day: dict[str, dict[str, str]] = {}
    for row in rows:
        if not row["temperature"] or not row["rain_mm"] or not row["wind_kmh"]:
            continue
        by_day[row["date"]] = {
            "date": row["date"],
            "temperature": f"{celsius(row['temperature'], row['unit']):.1f}",
            "rain": "0.0" if row["rain_mm"] == "trace" else f"{float(row['rain_mm']):.1f}",
            "wind": f"{float(row['wind_kmh']):.0f}",
        }
    return [by_day[day] for day in sorted(by_day)]


def main() -> None:
    """Clean what `fetch weather` brought."""
    raw = read_csv(workspace_file("weather-raw.csv"))
    days = clean(raw)
    write_csv(workspace_file("weather.csv"), COLUMNS, days)
    write_outputs({"days": len(days), "dropped": len(raw) - len(days)})
    print(f"{len(days)} days of weather out of {len(raw)} rows")


if __name__ == "__main__":
    main()
