"""Train the model on the earlier days, and measure it on the later ones, which it has not seen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from handover import read_csv, workspace_file, write_outputs
from model import Model, fit, mean_absolute_error, r_squared

FEATURES = ("rain", "temperature", "weekend")


def features_of(day: Mapping[str, str]) -> list[float]:
    """What the model knows of a day."""
    return [float(day[name]) for name in FEATURES]


def train(days: Sequence[Mapping[str, str]], test_share: float) -> tuple[Model, dict[str, float | int]]:
    """A model of the days, and how good it is. ValueError when there are too few."""
    held_out = round(len(days) * test_share)
    if held_out < 2 or len(days) - held_out <= len(FEATURES) + 1:
        raise ValueError(f"{len(days)} days are too few to learn {len(FEATURES) + 1} numbers and to test them")
    known, unseen = days[:-held_out], days[-held_out:]
    targets = [float(day["umbrellas"]) for day in known]
    model = fit(FEATURES, [features_of(day) for day in known], targets)
    actual = [float(day["umbrellas"]) for day in unseen]
    predicted = [model.predict(features_of(day)) for day in unseen]
    guess = sum(targets) / len(targets)
    return model, {
        "trainedOn": len(known),
        "testedOn": len(unseen),
        "r2": round(r_squared(predicted, actual), 4),
        "error": round(mean_absolute_error(predicted, actual), 3),
        "errorOfMean": round(mean_absolute_error([guess] * len(actual), actual), 3),
    }


def main() -> int:
    """Train on the joined days of the workspace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test-share", type=float, default=0.25, help="the share of the days kept for the test")
    arguments = parser.parse_args()
    try:
        model, measures = train(read_csv(workspace_file("joined.csv")), arguments.test_share)
    except ValueError as error:
        print(f"can't train: {error}", file=sys.stderr)
        return 1
    workspace_file("model.json").write_text(model.to_json(), encoding="utf-8")
    write_outputs(measures)
    print(
        f"umbrellas = {model.intercept:.2f} "
        + " ".join(f"{weight:+.2f}·{name}" for name, weight in zip(model.features, model.weights, strict=True))
    )
    print(f"wrong by {measures['error']} a day on unseen days (always the mean: {measures['errorOfMean']})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
