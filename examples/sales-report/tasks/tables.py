"""The two tables of the example, for any database that SQLAlchemy speaks to."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, MetaData, Numeric, Table

metadata = MetaData()

shopping_data = Table(
    "shopping_data",
    metadata,
    Column("date", Date, primary_key=True),
    Column("amount", Numeric(10, 2, asdecimal=False)),
)

factor_data = Table(
    "factor_data",
    metadata,
    Column("date", Date, primary_key=True),
    Column("staff_count", Integer, nullable=False),
    Column("operating_hours", Numeric(4, 1, asdecimal=False), nullable=False),
    Column("product_variety", Integer, nullable=False),
    Column("event_frequency", Integer, nullable=False),
    Column("store_cleanliness", Integer, nullable=False),
    Column("training_hours", Numeric(4, 1, asdecimal=False), nullable=False),
)
