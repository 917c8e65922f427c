"""Transform: make sales in one currency of the orders, each once, and set aside what can't be right."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from handover import read_csv, workspace_file, write_csv, write_outputs

USD = {"USD": Decimal(1), "EUR": Decimal("1.08"), "KRW": Decimal("0.00068")}
"""What one unit of each currency is worth, in US dollars."""
CENT = Decimal("0.01")
SALES = ("order", "store", "product", "quantity", "amount")
REJECTS = ("order", "why")


@dataclass(frozen=True)
class Sales:
    """What became of a day's orders."""

    sales: list[dict[str, str]]
    rejects: list[dict[str, str]]
    cancelled: int
    repeated: int

    @property
    def revenue(self) -> Decimal:
        """The sum of all amounts, in US dollars."""
        return sum((Decimal(sale["amount"]) for sale in self.sales), Decimal(0))


def sale_of(order: Mapping[str, str]) -> dict[str, str]:
    """The sale that an order is. ValueError says what is wrong with it."""
    try:
        quantity, price = int(order["quantity"]), Decimal(order["unit_price"])
    except (ValueError, InvalidOperation):
        raise ValueError(f"{order['quantity']!r} × {order['unit_price']!r} is no amount") from None
    if quantity <= 0 or not price.is_finite() or price < 0:
        raise ValueError(f"{quantity} × {price} is no sale")
    if order["currency"] not in USD:
        raise ValueError(f"unknown currency {order['currency']!r}")
    amount = (quantity * price * USD[order["currency"]]).quantize(CENT, ROUND_HALF_UP)
    return {
        "order": order["order"],
        "store": order["store"],
        "product": order["product"],
        "quantity": str(quantity),
        "amount": str(amount),
    }


def transform(orders: Iterable[Mapping[str, str]]) -> Sales:
    """The sales of the orders: cancelled ones left out, repeated ones taken once, impossible ones set aside."""
    sales: list[dict[str, str]] = []
    rejects: list[dict[str, str]] = []
    seen: set[str] = set()
    cancelled = repeated = 0
    for order in orders:
        if order["order"] in seen:
            repeated += 1
            continue
        seen.add(order["order"])
        if order["status"] == "cancelled":
            cancelled += 1
            continue
        try:
            sales.append(sale_of(order))
        except ValueError as error:
            rejects.append({"order": order["order"], "why": str(error)})
    return Sales(sales, rejects, cancelled, repeated)


def main() -> None:
    """Write the sales and the rejects beside the orders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", required=True, help="the file of the workspace with the orders")
    arguments = parser.parse_args()
    found = transform(read_csv(workspace_file(arguments.orders)))
    day = arguments.orders.removeprefix("orders-").removesuffix(".csv")
    sales, rejects = workspace_file(f"sales-{day}.csv"), workspace_file(f"rejects-{day}.csv")
    write_csv(sales, SALES, found.sales)
    write_csv(rejects, REJECTS, found.rejects)
    write_outputs(
        {
            "file": sales.name,
            "sales": len(found.sales),
            "revenue": str(found.revenue),
            "rejected": len(found.rejects),
            "cancelled": found.cancelled,
            "repeated": found.repeated,
        }
    )
    print(f"{len(found.sales)} sales, {found.revenue} USD; {found.cancelled} cancelled, {found.repeated} repeated")
    for reject in found.rejects:
        print(f"set aside order {reject['order']}: {reject['why']}")


if __name__ == "__main__":
    main()
