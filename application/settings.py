"""Settings: where things are and who may enter; figures of the business are in `HouseRules`."""

import secrets
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from application.key_files import read_or_create
from domain.countries import COUNTRIES
from domain.house_rules import CustomsLimit, FilingWindow, HouseRules, Peak
from domain.warehouses import Office

_KUAIDI100 = frozenset({"kuaidi100_url", "kuaidi100_key"})
_PAYMENT = frozenset({"payment_url", "payment_secret"})
_OPTIONAL = frozenset({"addresses", "signed", "monthly_card"})
"""Of a carrier's own account, what the sandbox's need not have."""
REHEARSED = {
    "kuaidi100": (
        _KUAIDI100 | {
            "kuaidi100_customer", "kuaidi100_label_url", "kuaidi100_secret", "kuaidi100_accounts",
        },
        _KUAIDI100,
    ),
    "payment": (_PAYMENT, _PAYMENT),
}  # fmt: skip
"""What may differ, and what must, between a partner's account and the sandbox's; a carrier that is
asked itself has an account in `trackers`."""


class ThirdParty(BaseModel):
    """How a third party's warehouse is asked, and how messages between the two are signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[!-~]+$", max_length=2_000)
    secrets: tuple[SecretStr, ...] = Field(min_length=1, max_length=5)
    """`whsec_…`: the first one signs, all of them are good for checking (R39)."""


class Settings(BaseSettings):
    """Read from the environment (`TALLYPOST_…`, `DATABASE_URL`) and an optional `.env`."""

    model_config = SettingsConfigDict(env_prefix="TALLYPOST_", env_file=".env", extra="ignore")

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
    """How many calls each partner gets from one process; what is more waits (M2)."""
    loopback_webhooks: bool = False
    """Whether webhooks may go to this machine itself: for rehearsals only (R40)."""
    kuaidi100_key: str = ""
    """The account's key at Kuaidi100."""
    kuaidi100_customer: str = ""
    """The account's customer number there; without it nothing is queried or waits for a query."""
    kuaidi100_queries_a_day: int = Field(default=10_000, ge=0)
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
    "kuaidi100": {"kuaidi100_url": "…", …}, "sf": {"partner": "…", "check_word": "…"}}`."""
    policy: str = Field(default=HouseRules().policy, pattern=r"^[a-z0-9][a-z0-9.-]{0,60}$")
    """Name of this deployment's figures, recorded in every order; an import names its own."""
    peaks: Annotated[tuple[Peak, ...], NoDecode] = ()
    """Days on which parcels take longer, and by how many hours: `2026-11-01..2026-11-20=48,…`."""
    pay_within_seconds: int = Field(default=180, ge=1)
    service_window_seconds: int = Field(default=7 * 86_400, ge=1)
    kept_visible_days: int = Field(default=730, ge=1)
    payloads_kept_days: int = Field(default=730, ge=1)
    """How long carriers' payloads are kept as they came; then they are deleted (rules.md 30)."""
    evidence_kept_days: int = Field(default=1_095, ge=1)
    """How long words and files of cases are kept; then they are deleted (rules.md 30)."""
    first_scan_hours: int = Field(default=24, ge=1)
    movement_hours: int = Field(default=48, ge=1)
    customs_hours: int = Field(default=24, ge=1)
    """How long a parcel may be without first scan, movement, movement in customs (rules.md 25)."""
    disputable_days: int = Field(default=30, ge=1)
    """How long after signing a parcel can be disputed (rules.md 27)."""
    learner_answer_hours: int = Field(default=48, ge=1)
    carrier_answer_hours: int = Field(default=48, ge=1)
    decide_hours: int = Field(default=72, ge=1)
    """A dispute's clocks: questions, inquiries, decision; facts keep the deadlines set (D1)."""
    filing_windows: Annotated[tuple[FilingWindow, ...], NoDecode] = HouseRules().filing_windows
    """Days that carriers take claims, from signing and, unsigned, from hand-over, as in our
    contracts with them: `*=7/30,shunfeng=15/60`; `*` stands for all that are not named (D2)."""
    customs_limits: Annotated[tuple[CustomsLimit, ...], NoDecode] = HouseRules().customs_limits
    """What personal parcels abroad may be worth in fen before a human looks at their orders:
    `*=100000,HK=80000,US=550000`; `*` stands for all that are not named (T7)."""
    abroad_days: int = Field(default=14, ge=1)
    """How long parcels abroad take where no rate card says so (rules.md 10)."""
    inquire_hours: int = Field(default=72, ge=1)
    """How long a parcel may be unseen or late before its carrier is asked by itself (T5)."""
    return_days: int = Field(default=7, ge=1)
    """How long a learner has to send goods that come back (D3)."""
    return_freight_points: int = Field(default=100, ge=0)
    return_freight_fen: int = Field(default=1_000, ge=0)
    """What who changed their mind pays of a refund for the way back: points, else cash (D3)."""
    review_value_fen: int = Field(default=30_000, ge=0)
    """Orders whose goods are worth more are looked at before release (rules.md 26)."""
    review_orders_a_day: int = Field(default=3, ge=1)
    review_accounts_at_address: int = Field(default=5, ge=2)
    review_every_order: bool = False
    """Nothing is released before a human looked at it (O7)."""
    minors_shown_seconds: int = Field(default=4 * 3_600, ge=60, le=7 * 86_400)
    """How long a minor's card may be looked at once a second person allowed it (A9)."""
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

    @field_validator("peaks", mode="before")
    @classmethod
    def _peaks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found: list[Peak] = []
        for text in filter(None, value.split(",")):
            days, _, hours = text.partition("=")
            first, _, last = days.partition("..")
            day = date.fromisoformat(first.strip())
            until = date.fromisoformat(last.strip()) if last else day
            found.append(Peak(day, until, int(hours)))
        return tuple(found)

    @field_validator("filing_windows", mode="before")
    @classmethod
    def _filing_windows(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found: dict[str, FilingWindow] = {one.carrier: one for one in HouseRules().filing_windows}
        for text in filter(None, value.split(",")):
            carrier, _, days = text.strip().partition("=")
            signed, _, sent = days.partition("/")
            if not carrier or int(signed) < 1 or int(sent) < 1:
                raise ValueError("a carrier and two numbers of days, as in shunfeng=15/60")
            found[carrier] = FilingWindow(
                carrier, timedelta(days=int(signed)), timedelta(days=int(sent))
            )
        return tuple(found.values())

    @field_validator("customs_limits", mode="before")
    @classmethod
    def _customs_limits(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found: dict[str, CustomsLimit] = {one.country: one for one in HouseRules().customs_limits}
        for text in filter(None, value.split(",")):
            country, _, fen = text.strip().partition("=")
            if country not in {"*", *COUNTRIES} or int(fen) < 0:
                raise ValueError("a country's code and an amount in fen, as in HK=80000")
            found[country] = CustomsLimit(country, int(fen))
        return tuple(found.values())

    @model_validator(mode="after")
    def _rehearsals(self) -> Self:
        for partner, account in self.rehearsal.items():
            if not self._is_whole(partner, account):
                raise ValueError(f"{partner} is not rehearsed with: {', '.join(sorted(account))}")
        return self

    def _is_whole(self, partner: str, account: dict[str, Any]) -> bool:
        """Whether a sandbox's account has what the partner's own has."""
        known, needed = REHEARSED.get(partner, (frozenset(), frozenset()))
        if needed:
            return needed <= account.keys() <= known
        own = self.trackers.get(partner)
        return own is not None and "url" in account and own.keys() - account.keys() <= _OPTIONAL

    def rehearsed(self, partner: str) -> Self:
        """These settings, with the sandbox's account in place of a partner's own."""
        account = self.rehearsal[partner]
        if partner not in REHEARSED:
            return self.model_copy(update={"trackers": {**self.trackers, partner: account}})
        sealed = {
            name: SecretStr(value) if name.endswith("_secret") else value
            for name, value in account.items()
        }
        found = self.model_copy(update=sealed)
        # What was derived of the real account.
        found.__dict__.pop("payment_keys", None)
        return found

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
