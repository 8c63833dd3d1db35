"""目的地 Where parcels go, as facts say it: the place without the person (A4, T7)."""

from pydantic import Field

from domain.countries import HOME, region_of
from domain.facts import Value


class Destination(Value):
    """Where parcels go, as far as it names nobody: the person is on the vault card."""

    card: str = Field(description="id of the recipient's card in the vault (A4)")
    province: str
    city: str = ""
    district: str = ""
    division: str | None = Field(
        default=None,
        # Facts of the time before have no such field, and are written again as they were.
        exclude_if=lambda code: code is None,
        description="code (GB/T 2260) of the smallest division that is settled; None: unknown",
    )
    country: str = Field(
        default=HOME,
        exclude_if=lambda code: code == HOME,
        description="ISO 3166-1 alpha-2; Hong Kong, Macao and Taiwan have codes of their own (T7)",
    )

    @property
    def region(self) -> str:
        """What coverage and rates name it by: the province, or the country abroad."""
        return region_of(self.country, self.province)

    @property
    def abroad(self) -> bool:
        """Whether parcels pass customs on their way to it (T7)."""
        return self.country != HOME
