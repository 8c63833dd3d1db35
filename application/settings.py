"""Settings: where things are and who may enter; figures of the business are in `HouseRules`."""

import secrets
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from application.key_files import read_or_create
from domain.house_rules import FOLLOWING, HouseRules
from domain.warehouses import Office

_KUAIDI100 = frozenset({"kuaidi100_url", "kuaidi100_key"})
_PAYMENT = frozenset({"payment_url", "payment_secret"})
_THIRD_PARTIES = frozenset({"third_parties"})
_AGORA = frozenset({"agora_url", "agora_app_id", "agora_certificate"})
_OPTIONAL = frozenset({"addresses", "signed", "monthly_card"})
"""Of a carrier's own account, what the sandbox's need not have."""
_OF_ALL_TENANTS = frozenset({
    "database_url", "owner_url", "data", "keys", "tenant", "tenants", "tenant_settings",
    "loopback_webhooks", "drift_seconds",
})  # fmt: skip
"""Where a process finds things and what it does, not what a tenant is like."""
_FIGURES = TypeAdapter(HouseRules)
REHEARSED = {
    "kuaidi100": (
        _KUAIDI100 | {
            "kuaidi100_customer", "kuaidi100_label_url", "kuaidi100_secret", "kuaidi100_accounts",
        },
        _KUAIDI100,
    ),
    "payment": (_PAYMENT, _PAYMENT),
    "third_party": (_THIRD_PARTIES, _THIRD_PARTIES),
    "agora": (_AGORA, _AGORA),
}  # fmt: skip
"""What may differ, and what must, between a partner's account and the sandbox's; a carrier that is
asked itself has an account in `trackers`."""


class ThirdParty(BaseModel):
    """How a third party's warehouse is asked, and how messages between the two are signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[!-~]+$", max_length=2_000)
    secrets: tuple[SecretStr, ...] = Field(min_length=1, max_length=5)
    """`whsec_…`: the first one signs, all of them are good for checking (R39)."""


UNNAMED_QUERIES_A_DAY = 10_000


class Settings(BaseSettings):
    """Read from the environment (`TALLYPOST_…`, `DATABASE_URL`) and an optional `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="TALLYPOST_", env_file=".env", extra="ignore", use_attribute_docstrings=True
    )

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    """PostgreSQL as the service login; None: the embedded one in `data`."""
    owner_url: str | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    """PostgreSQL as the owner, for `migrate`; None: `database_url`."""
    data: Path = Path("data")
    """Folder of the embedded database and of the key files."""
    keys: Path | None = None
    """Folder of the key files, if not in `data`."""
    tenant: str = Field(default="mall", pattern=r"^[a-z_][a-z0-9_]{0,40}$")
    """The schema that serves host names nobody else is named for."""
    tenants: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    """Further tenants: `host=schema,host=schema`."""
    tenant_settings: dict[str, dict[str, Any]] = Field(default_factory=dict, repr=False)
    """What single tenants have of their own, as JSON by schema; of `rules`, the figures named:
    `{"school": {"rules": {"pay_within": "PT10M"}, "public_url": "https://school.example"}}`."""
    exclude_remote: bool = True
    """Whether remote regions are left out of coverage (rules.md 9)."""
    exclude_regions: Annotated[tuple[str, ...], NoDecode] = ()
    """Further regions left out: `浙江省舟山市嵊泗县,460300`, any divisions by name or code."""
    payment_secret: SecretStr | None = None
    """What the payment provider and we sign with; None: a random one in the key folder. Several
    with blanks between them while it is replaced: the first signs, all are good for checking (R39).
    """
    payment_url: str = "http://127.0.0.1:8090"
    """The payment provider; the default is where `tallypost sandbox` listens."""
    kuaidi100_url: str | None = None
    """Kuaidi100's subscription service or the sandbox's; None: nobody is asked to watch parcels."""
    partner_calls_per_second: float = Field(default=20, gt=0)
    """How many calls each partner gets from the whole house; what is more waits (M2)."""
    loopback_webhooks: bool = False
    """Whether webhooks may go to this machine itself: for rehearsals only (R40)."""
    kuaidi100_key: str = ""
    """The account's key at Kuaidi100."""
    kuaidi100_customer: str = ""
    """The account's customer number there; without it nothing is queried or waits for a query."""
    kuaidi100_queries_a_day: int = Field(default=10_000, ge=0)
    """How many queries a day the contract with it allows (M2)."""
    tracker_queries_a_day: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """The same of carriers that are asked directly, as JSON by their adapter's name,
    `{"sf": 5000}`; 10,000 of those that are not named."""
    trackers: dict[str, dict[str, str]] = Field(default_factory=dict, repr=False)
    """Accounts at carriers that are asked directly, by their adapter's name, as JSON:
    `{"sf": {"partner": "…", "check_word": "…"}}`; what each takes is in its adapter (T1)."""
    kuaidi100_label_url: str | None = None
    """Kuaidi100's label service or the sandbox's; None: waybills are written down by hand (W5)."""
    kuaidi100_secret: SecretStr = SecretStr("")
    """What label requests are signed with, beside the key."""
    kuaidi100_accounts: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Contracts with carriers, as JSON by their code or `*`: `{"*": {"partnerId": "…"}}`."""
    senders: dict[str, Office] = Field(default_factory=dict)
    """Who sends from warehouses that do not say so themselves, as JSON by code or `*`: name, phone,
    address."""
    third_parties: dict[str, ThirdParty] = Field(default_factory=dict, repr=False)
    """Third parties' warehouses that are asked by themselves, as JSON by the warehouse's code:
    `{"shaanxi": {"url": "https://…", "secrets": ["whsec_…"]}}` (W2; docs/third-parties.md)."""
    wecom_key: SecretStr | None = None
    """The key of staff's WeChat Work group robot, all that its address keeps secret; None: nobody
    is told, and `/operations` alone lists what is stuck (N1)."""
    wecom_url: str = "https://qyapi.weixin.qq.com"
    """WeChat Work's service or the sandbox's."""
    alert_language: Literal["zh", "en"] = "zh"
    """The language in which staff are told."""
    alert_again_hours: float = Field(default=24, ge=0)
    """After how long staff are reminded of what is still stuck; 0: never."""
    agora_app_id: str = ""
    """The app at Agora (声网) that learners' apps are signalled through; empty: none is (N3)."""
    agora_certificate: SecretStr = SecretStr("")
    """What tokens are signed with: the app's certificate, 32 hexadecimal digits like its id."""
    agora_url: str = "https://api.agora.io"
    """Agora's service or the sandbox's."""
    rehearsal: dict[str, dict[str, Any]] = Field(default_factory=dict, repr=False)
    """The sandbox's accounts of partners that are really set, too, as JSON by partner: their real
    traffic is switched on by share (M3). `{"payment": {"payment_url": "…", "payment_secret": "…"},
    "kuaidi100": {"kuaidi100_url": "…", …}, "sf": {"partner": "…", "check_word": "…"},
    "third_party": {"third_parties": {…}}, "agora": {"agora_url": "…", …}}`."""
    rules: HouseRules = HouseRules()
    """Figures of the business that are not as rules.md has them, as JSON by name; times as ISO 8601
    writes them: `{"pay_within": "PT10M", "peaks": [["2026-11-01", "2026-11-20", 48]]}`."""
    drift_seconds: float = Field(default=60, ge=0)
    """How often a page of streams is compared with the views' rows; 0: never (M5)."""
    public_url: str = "http://127.0.0.1:8000"
    """Where partners reach this service: callback addresses begin with it."""

    @field_validator("tenants", mode="before")
    @classmethod
    def _tenants(cls, value: object) -> object:
        if isinstance(value, str):
            return dict(pair.split("=", 1) for pair in value.split(",") if pair)
        return value

    @field_validator("exclude_regions", mode="before")
    @classmethod
    def _regions(cls, value: object) -> object:
        """Codes of the regions; a name has to say which one is meant."""
        if not isinstance(value, str):
            return value
        # Most have none, and commands that only read settings should not load 3,000 names.
        from application.divisions import division_named

        return tuple(division_named(text.strip()).code for text in value.split(",") if text.strip())

    @field_validator("rules", mode="before")
    @classmethod
    def _figures(cls, value: object) -> object:
        if isinstance(value, dict) and (said := FOLLOWING & value.keys()):
            raise ValueError(f"{', '.join(sorted(said))}: follows from other settings")
        return value

    @model_validator(mode="after")
    def _tenants_own(self) -> Self:
        """Whatever is wrong is said at the start, not when the tenant is first asked for."""
        for tenant, own in self.tenant_settings.items():
            if tenant not in {self.tenant, *self.tenants.values()}:
                raise ValueError(f"{tenant} is no tenant")
            if odd := own.keys() - (type(self).model_fields.keys() - _OF_ALL_TENANTS):
                raise ValueError(f"{tenant} can have no {', '.join(sorted(odd))} of its own")
            self.of(tenant)
        return self

    def of(self, tenant: str) -> Self:
        """These settings with what the tenant has of its own."""
        found = self.model_copy(update={"tenant": tenant, "tenant_settings": {}})
        own = self.tenant_settings.get(tenant, {})
        for name, value in own.items():
            changed = value
            if name == "rules":
                alone = _FIGURES.validate_python(self._figures(value))
                changed = replace(
                    self.rules, **{figure: getattr(alone, figure) for figure in value}
                )
            self.__pydantic_validator__.validate_assignment(found, name, changed)
        if own:
            found._forget_derived()
        return found

    @model_validator(mode="after")
    def _rehearsals(self) -> Self:
        for partner, account in self.rehearsal.items():
            whole = self._is_whole(partner, account)
            # A third party's warehouse has to be there at both, whichever way a parcel goes.
            if (
                not whole
                or self.third_parties.keys() - self.rehearsed(partner).third_parties.keys()
            ):
                raise ValueError(f"{partner} is not rehearsed with: {', '.join(sorted(account))}")
        return self

    def _is_whole(self, partner: str, account: dict[str, Any]) -> bool:
        """Whether a sandbox's account has what the partner's own has."""
        known, needed = REHEARSED.get(partner, (frozenset(), frozenset()))
        if needed:
            return needed <= account.keys() <= known
        own = self.trackers.get(partner)
        return own is not None and "url" in account and own.keys() - account.keys() <= _OPTIONAL

    def queries_a_day(self, partner: str) -> int:
        """How many queries a day the contract with a source of tracks allows (M2)."""
        if partner == "kuaidi100":
            return self.kuaidi100_queries_a_day
        return self.tracker_queries_a_day.get(partner, UNNAMED_QUERIES_A_DAY)

    def rehearsed(self, partner: str) -> Self:
        """These settings, with the sandbox's account in place of a partner's own."""
        account = self.rehearsal[partner]
        if partner not in REHEARSED:
            return self.model_copy(update={"trackers": {**self.trackers, partner: account}})
        fields = type(self).model_fields
        kinds: dict[str, Any] = {name: fields[name].annotation for name in account}
        read = {
            name: TypeAdapter(kinds[name]).validate_python(value) for name, value in account.items()
        }
        found = self.model_copy(update=read)
        found._forget_derived()
        return found

    def _forget_derived(self) -> None:
        """A copy has another account than the one it was derived of."""
        self.__dict__.pop("payment_keys", None)

    @property
    def queries_are_possible(self) -> bool:
        """Whether carriers can be asked where a parcel is (T1)."""
        return self.kuaidi100_url is not None and bool(self.kuaidi100_customer)

    @property
    def key_folder(self) -> Path:
        """Where master keys, token secret and the signing key of heads are."""
        return self.keys or self.data / "keys"

    @property
    def labels_are_possible(self) -> bool:
        """Whether waybills can be ordered of the aggregator (W5)."""
        signs = bool(self.kuaidi100_key and self.kuaidi100_secret.get_secret_value())
        return self.kuaidi100_label_url is not None and signs

    @property
    def payment_key(self) -> bytes:
        """What requests to the payment provider are signed with."""
        return self.payment_keys[0]

    @cached_property
    def payment_keys(self) -> tuple[bytes, ...]:
        """The secrets shared with the payment provider, the newest first (R39).

        The sandbox reads the same file, one a line.
        """
        if self.payment_secret is not None:
            return tuple(self.payment_secret.get_secret_value().encode().split())
        path = self.key_folder / "payment.secret"
        return tuple(read_or_create(path, make=lambda: secrets.token_hex(32).encode()).split())

    @field_validator("payment_secret")
    @classmethod
    def _a_secret_at_least(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().split():
            raise ValueError("one secret at least, or none is set")
        return value
