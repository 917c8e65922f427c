"""A linear model by least squares, in plain Python: fit, predict, measure, and its form as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

Row = Sequence[float]


@dataclass(frozen=True)
class Model:
    """What is predicted: `intercept` plus each feature times its weight, and never less than none."""

    features: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]

    def predict(self, row: Row) -> float:
        """The prediction for the features of one day."""
        terms = (weight * value for weight, value in zip(self.weights, row, strict=True))
        return max(0.0, self.intercept + math.fsum(terms))

    def to_json(self) -> str:
        """The model as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Model:
        """The model that `to_json` wrote."""
        found = json.loads(text)
        return cls(tuple(found["features"]), float(found["intercept"]), tuple(float(w) for w in found["weights"]))


def solve(matrix: Sequence[Row], right: Row) -> list[float]:
    """Solve a system of linear equations by elimination. ValueError when it has no single solution."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda place: abs(rows[place][column]))
        if abs(rows[pivot][column]) < 1e-9:
            raise ValueError("the features say the same twice, or there are too few days to tell them apart")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for below in range(column + 1, size):
            factor = rows[below][column] / rows[column][column]
            rows[below] = [value - factor * above for value, above in zip(rows[below], rows[column], strict=True)]
    solution = [0.0] * size
    for place in reversed(range(size)):
        known = math.fsum(rows[place][later] * solution[later] for later in range(place + 1, size))
        solution[place] = (rows[place][size] - known) / rows[place][place]
    return solution


def fit(features: Sequence[str], rows: Sequence[Row], targets: Row) -> Model:
    """The model with the least squared error over the rows (the normal equations)."""
    design = [(1.0, *row) for row in rows]
    size = len(features) + 1
    squares = [[math.fsum(line[i] * line[j] for line in design) for j in range(size)] for i in range(size)]
    right = [math.fsum(line[i] * target for line, target in zip(design, targets, strict=True)) for i in range(size)]
    intercept, *weights = solve(squares, right)
    return Model(tuple(features), intercept, tuple(weights))


def mean_absolute_error(predicted: Row, targets: Row) -> float:
    """By how much the predictions are wrong, on average."""
    return math.fsum(abs(p - t) for p, t in zip(predicted, targets, strict=True)) / len(targets)


def r_squared(predicted: Row, targets: Row) -> float:
    """The share of the targets' variance that the predictions explain: 1 is all, 0 is what their mean does."""
    mean = math.fsum(targets) / len(targets)
    total = math.fsum((t - mean) ** 2 for t in targets)
    if total == 0:
        raise ValueError("all targets are equal, so there is no variance to explain")
    return 1 - math.fsum((p - t) ** 2 for p, t in zip(predicted, targets, strict=True)) / total
