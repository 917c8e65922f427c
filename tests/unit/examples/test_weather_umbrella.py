"""examples/weather-umbrella: cleaning, the join and the model by hand-computed figures; the tasks as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.examples import Pod, load, run_all

clean_weather = load("weather-umbrella", "clean_weather")
clean_sales = load("weather-umbrella", "clean_sales")
join = load("weather-umbrella", "join")
model = load("weather-umbrella", "model")
deploy = load("weather-umbrella", "deploy")


def weather(
    date: str, temperature: str = "10.0", unit: str = "C", rain: str = "1.0", wind: str = "9"
) -> dict[str, str]:
    return {"date": date, "temperature": temperature, "unit": unit, "rain_mm": rain, "wind_kmh": wind}


WEATHER = {
    "Celsius stays": (weather("2025-04-01"), {"temperature": "10.0", "rain": "1.0", "wind": "9"}),
    "Fahrenheit": (weather("2025-04-01", "50.0", "F"), {"temperature": "10.0", "rain": "1.0", "wind": "9"}),
    "a trace": (weather("2025-04-01", rain="trace"), {"temperature": "10.0", "rain": "0.0", "wind": "9"}),
    "no reading": (weather("2025-04-01", rain=""), None),
}


@pytest.mark.parametrize(("row", "cleaned"), WEATHER.values(), ids=WEATHER.keys())
def test_a_day_of_weather(row: dict[str, str], cleaned: dict[str, str] | None) -> None:
    assert clean_weather.clean([row]) == ([{"date": "2025-04-01", **cleaned}] if cleaned else [])


def test_weather_by_day_with_the_last_row_of_each() -> None:
    found = clean_weather.clean([weather("2025-04-02"), weather("2025-04-01"), weather("2025-04-02", rain="7")])
    assert [(day["date"], day["rain"]) for day in found] == [("2025-04-01", "1.0"), ("2025-04-02", "7.0")]


def test_sales_are_summed_by_day_without_bad_days() -> None:
    rows = [
        {"date": date, "store": store, "umbrellas": count}
        for date, store, count in [
            ("2025-04-02", "a", "4"),
            ("2025-04-01", "a", "2"),
            ("2025-04-01", "b", "3"),
            ("2025-04-01", "b", "3"),
            ("2025-04-03", "a", "5"),
            ("2025-04-03", "b", ""),
            ("2025-04-04", "a", "-1"),
        ]
    ]
    assert clean_sales.clean(rows) == [
        {"date": "2025-04-01", "umbrellas": "5"},
        {"date": "2025-04-02", "umbrellas": "4"},
    ]


def test_the_join_keeps_days_of_both() -> None:
    days = [{"date": day, "rain": "1.0", "temperature": "9.0"} for day in ("2025-04-04", "2025-04-05", "2025-04-06")]
    sales = [{"date": day, "umbrellas": "7"} for day in ("2025-04-05", "2025-04-04", "2025-04-30")]
    assert join.join(days, sales) == [
        {"date": "2025-04-04", "rain": "1.0", "temperature": "9.0", "weekend": "0", "umbrellas": "7"},
        {"date": "2025-04-05", "rain": "1.0", "temperature": "9.0", "weekend": "1", "umbrellas": "7"},
    ]


def test_the_line_through_points_that_lie_on_one() -> None:
    rows = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (2.0, 5.0)]
    found = model.fit(("a", "b"), rows, [3 + 2 * a - 0.25 * b for a, b in rows])
    assert (found.intercept, *found.weights) == pytest.approx((3, 2, -0.25))


def test_the_line_of_least_squares() -> None:
    # y = 1/2 + 3/2·x is the classic best line of these four points: the slope is 7.5/5, the mean point (1.5, 2.75).
    found = model.fit(("x",), [(0.0,), (1.0,), (2.0,), (3.0,)], [1.0, 1.0, 4.0, 5.0])
    assert (found.intercept, *found.weights) == pytest.approx((0.5, 1.5))


def test_features_that_say_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="say the same twice"):
        model.fit(("a", "b"), [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)], [1.0, 2.0, 3.0])


def test_measures() -> None:
    assert model.mean_absolute_error([1.0, 5.0], [2.0, 3.0]) == 1.5
    assert model.r_squared([2.0, 4.0, 6.0], [2.0, 4.0, 6.0]) == 1.0
    assert model.r_squared([4.0, 4.0, 4.0], [2.0, 4.0, 6.0]) == 0.0


def test_a_model_as_json_and_back() -> None:
    found = model.Model(("rain",), -1.5, (2.25,))
    assert model.Model.from_json(found.to_json()) == found
    assert (found.predict([2.0]), found.predict([0.0])) == (3.0, 0.0)


def test_the_switch_says_what_it_replaced(tmp_path: Path) -> None:
    text = model.Model(("rain",), 0.0, (1.0,)).to_json()
    for version in ("v1", "v2"):
        deploy.install(tmp_path, version, text)
    assert [deploy.switch(tmp_path, version) for version in ("v1", "v2", "v2")] == [None, "v1", "v2"]
    assert json.loads((tmp_path / "current" / "model.json").read_text()) == json.loads(text)


def test_the_tasks_of_the_manifest(tmp_path: Path) -> None:
    models = tmp_path / "models"
    done = run_all(Pod("weather-umbrella", tmp_path, run="umbrella-7"), mounts={"/models": str(models)})
    assert {name: (ended.code, ended.outputs) for name, ended in done.items()} == {
        "fetch-weather": (0, {"rows": 77}),
        "clean-weather": (0, {"days": 73, "dropped": 4}),
        "fetch-sales": (0, {"rows": 149}),
        "clean-sales": (0, {"days": 72, "umbrellas": 641}),
        "join": (0, {"days": 70, "first": "2025-03-01", "last": "2025-05-14"}),
        "train": (0, {"trainedOn": 52, "testedOn": 18, "r2": 0.9407, "error": 1.749, "errorOfMean": 7.415}),
        "deploy": (0, {"version": "umbrella-7", "before": None, "rainySaturday": 50, "dryMonday": 1}),
    }
    # The data were made with 3.4 umbrellas for each mm of rain and 4 more at weekends.
    learned = model.Model.from_json((models / "current" / "model.json").read_text())
    assert dict(zip(learned.features, learned.weights, strict=True)) == pytest.approx(
        {"rain": 3.4, "temperature": -0.25, "weekend": 4}, abs=0.2
    )


def test_a_model_that_is_not_good_enough_is_not_deployed(tmp_path: Path) -> None:
    done = run_all(Pod("weather-umbrella", tmp_path), params={"min_r2": 0.99}, mounts={"/models": str(tmp_path / "m")})
    assert list(done)[-1] == "train"
    assert not (tmp_path / "m").exists()
