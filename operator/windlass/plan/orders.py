"""Whether a run is suspended or stopped, by its spec and by what RunActions have said since.

Of `spec.suspend` and an action the later word counts. A stop grows from either side, and a retry leaves it behind.
"""

from __future__ import annotations

from typing import Final

from windlass.models.run import Orders, Stop
from windlass.plan.types import RunView

NO_ORDERS: Final = Orders()
_STRENGTH: Final = {None: 0, Stop.CANCEL: 1, Stop.TERMINATE: 2}


def suspended(run: RunView) -> bool:
    """Whether nothing new is to start."""
    orders = run.status.orders
    if orders is not None and orders.suspend is not None and orders.suspend_over is run.spec.suspend:
        return orders.suspend
    return run.spec.suspend


def stop_of(run: RunView) -> Stop | None:
    """How the run is to be stopped; None: it is not."""
    orders = run.status.orders
    if orders is None:
        return run.spec.stop
    asked = run.spec.stop if _STRENGTH[run.spec.stop] > _STRENGTH[orders.stop_over] else None
    return max(asked, orders.stop, key=_STRENGTH.__getitem__)


def current_orders(run: RunView) -> Orders | None:
    """The orders without a word on suspending that `spec.suspend` has overtaken."""
    orders = run.status.orders
    if orders is None or orders.suspend is None or orders.suspend_over is run.spec.suspend:
        return orders
    return with_orders(run, suspend=None, suspend_over=None)


def with_orders(run: RunView, **update: bool | Stop | None) -> Orders | None:
    """The run's orders with these fields; None when nothing is left to say."""
    orders = (run.status.orders or NO_ORDERS).model_copy(update=update)
    return None if orders == NO_ORDERS else orders
