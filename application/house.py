"""What reactions need of one tenant; `api.tenancy.Tenant` has it."""

from typing import Any, Protocol

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from application.store import Store
from application.vault import Vault
from domain.house_rules import HouseRules

OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TooManyRequests, OSError)
"""The database is out of reach: nothing is wrong with what was asked."""


class House(Protocol):
    """One tenant: its schema, its writer, its figures, its keys, and connections to read with."""

    schema: str
    store: Store
    rules: HouseRules
    vault: Vault
    pool: AsyncConnectionPool[Any]
