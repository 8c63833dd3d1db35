"""轨迹来源们 The sources of tracks that a tenant has accounts with, and which one to ask (T1)."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from application.gateways import trackers
from application.gateways.kuaidi100_labels import Account, Kuaidi100Labels
from application.gateways.labelling import Labeller
from application.gateways.tracking import DirectTracker, Tracker
from application.settings import Settings


class Trackers:
    """All sources that are set; a carrier's own comes before an aggregator."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def all(self) -> tuple[Tracker, ...]:
        """The carriers themselves first."""
        found = [one for one in _opened(self._settings) if one is not None]
        return tuple(sorted(found, key=lambda one: (one.carriers is None, one.name)))

    def of(self, carrier: str) -> Tracker | None:
        """Who is asked about this carrier's parcels; None: nobody can be."""
        for one in self.all:
            if one.carriers is None or carrier in one.carriers:
                return one
        return None

    def direct(self, name: str) -> DirectTracker | None:
        """The carrier that pushes under this name."""
        found = next((one for one in self.all if one.name == name), None)
        return found if isinstance(found, DirectTracker) else None

    def labeller(self, carrier: str) -> Labeller:
        """Who gives out this carrier's waybills: the carrier itself where it does, or Kuaidi100."""
        direct: object = self.of(carrier)
        if isinstance(direct, Labeller) and direct.labels:
            return direct
        settings = self._settings
        return Kuaidi100Labels(
            settings.kuaidi100_label_url or "",
            account=Account(settings.kuaidi100_key, settings.kuaidi100_secret.get_secret_value()),
            contracts=settings.kuaidi100_accounts,
        )


def names() -> list[str]:
    """Every source there is an adapter for."""
    return sorted(module.name for module in pkgutil.iter_modules(trackers.__path__))


def _opened(settings: Settings) -> Iterator[Tracker | None]:
    for name in names():
        yield import_module(f"{trackers.__name__}.{name}").opened(settings)
