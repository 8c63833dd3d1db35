"""仓库联系 Whom a warehouse's parcels come from and go back to (C2, D3, W5)."""

from collections.abc import Mapping

from application.settings import Settings
from domain.warehouses import Office


def office_of(settings: Settings, warehouse: str, said: Mapping[str, str] | None) -> Office | None:
    """What a warehouse `said` of itself; else what is set up for it; None: nobody said anything."""
    return Office.model_validate(said) if said else settings.senders.get(warehouse)


def sending_office(
    settings: Settings, warehouse: str, said: Mapping[str, str] | None
) -> Office | None:
    """Who sends from a warehouse: its office, or what is set up for all of them."""
    return office_of(settings, warehouse, said) or settings.senders.get("*")
