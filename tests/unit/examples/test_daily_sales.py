"""examples/daily-sales-etl: its tasks by hand-computed figures, alone and one after the other."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from support.examples import Pod, load, run_all

transform = load("daily-sales-etl", "transform")
warehouse = load("daily-sales-etl", "load")

ORDER = {
    "order": "1",
    "store": "Seoul",
    "product": "umbrella",
    "quantity": "2",
    "unit_price": "15000",
    "currency": "KRW",
    "status": "paid",
}
GOOD = {
    "won": (ORDER, "20.40"),
    "euros": ({**ORDER, "unit_price": "12.50", "currency": "EUR"}, "27.00"),
    "half a cent goes up": ({**ORDER, "quantity": "1", "unit_price": "0.005", "currency": "USD"}, "0.01"),
    "a gift": ({**ORDER, "unit_price": "0"}, "0.00"),
}
BAD = {
    "no quantity": ({**ORDER, "quantity": ""}, "'' × '15000' is no amount"),
    "no price": ({**ORDER, "unit_price": "free"}, "'2' × 'free' is no amount"),
    "nothing sold": ({**ORDER, "quantity": "0"}, "0 × 15000 is no sale"),
    "a return": ({**ORDER, "quantity": "-1"}, "-1 × 15000 is no sale"),
    "a price that is no number": ({**ORDER, "unit_price": "NaN"}, "2 × NaN is no sale"),
    "an unknown currency": ({**ORDER, "currency": "XXX"}, "unknown currency 'XXX'"),
}


@pytest.mark.parametrize(("order", "amount"), GOOD.values(), ids=GOOD.keys())
def test_a_sale_in_dollars(order: dict[str, str], amount: str) -> None:
    assert transform.sale_of(order)["amount"] == amount


@pytest.mark.parametrize(("order", "why"), BAD.values(), ids=BAD.keys())
def test_an_order_that_is_no_sale(order: dict[str, str], why: str) -> None:
    found = transform.transform([order])
    assert (found.sales, found.rejects) == ([], [{"order": "1", "why": why}])


def test_each_order_counts_once_and_cancelled_ones_not() -> None:
    found = transform.transform([ORDER, ORDER, {**ORDER, "order": "2", "status": "cancelled"}])
    assert (len(found.sales), found.repeated, found.cancelled, found.revenue) == (1, 1, 1, Decimal("20.40"))


def test_a_day_loaded_again_replaces_itself_and_no_other(tmp_path: Path) -> None:
    def sale(order: str, amount: str) -> dict[str, str]:
        return {"order": order, "store": "Seoul", "product": "boots", "quantity": "1", "amount": amount}

    path = tmp_path / "sales.db"
    replaced = [
        warehouse.load(path, "2025-04-01", [sale("1", "10.01"), sale("2", "0.99")]),
        warehouse.load(path, "2025-04-02", [sale("1", "5.00")]),
        warehouse.load(path, "2025-04-01", [sale("3", "7.30")]),
    ]
    assert replaced == [0, 0, 2]
    assert warehouse.by_store(path, "2025-04-01") == {"Seoul": "7.30"}
    assert warehouse.by_store(path, "2025-04-02") == {"Seoul": "5.00"}


# 2025-04-01: orders 1001, 1002, 1003, 1005, 1006 and 1008 are sales; the others are cancelled, repeated or impossible.
# Seoul 20.40 + 28.56 + 59.84, Berlin 3 × 12.50 × 1.08, Boston 14 + 2 × 39.95.
STORES = {"Berlin": "40.50", "Boston": "93.90", "Seoul": "108.80"}


def test_the_tasks_of_the_manifest(tmp_path: Path) -> None:
    pod = Pod("daily-sales-etl", tmp_path)
    outputs = [
        {
            name: (ended.code, ended.outputs)
            for name, ended in run_all(pod, params={"day": "2025-04-01"}, mounts={"/warehouse": str(tmp_path)}).items()
        }
        for _ in range(2)
    ]
    first = {
        "extract": (0, {"day": "2025-04-01", "file": "orders-2025-04-01.csv", "orders": 10}),
        "transform": (
            0,
            {
                "file": "sales-2025-04-01.csv",
                "sales": 6,
                "revenue": "243.20",
                "rejected": 2,
                "cancelled": 1,
                "repeated": 1,
            },
        ),
        "load": (0, {"day": "2025-04-01", "loaded": 6, "replaced": 0, "stores": STORES}),
    }
    second = {**first, "load": (0, {"day": "2025-04-01", "loaded": 6, "replaced": 6, "stores": STORES})}
    assert outputs == [first, second]


def test_a_day_without_an_export_says_which_there_are(tmp_path: Path) -> None:
    ended = Pod("daily-sales-etl", tmp_path).task("extract.py", "--day", "2025-05-01")
    assert (ended.code, ended.stderr, ended.outputs) == (
        1,
        "no export of 2025-05-01 yet, only of these days: 2025-04-01, 2025-04-02\n",
        None,
    )


def test_an_export_without_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2025-04-03.csv").write_text("order,store,product,quantity,price,currency,status\n1,a,b,1,2,USD,paid\n")
    ended = Pod("daily-sales-etl", tmp_path).task("extract.py", "--day", "2025-04-03", "--export", str(tmp_path))
    assert ended.code == 1
    assert "the export has no column unit_price" in ended.stderr
