"""导入价目 The command `tallypost import rates` (W3; contract.md, Commands)."""

import asyncio
import getpass
import hashlib
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from api import serving
from api.commands.importing import By, File, ReportPath, said, unused
from api.commands.settings import Data, settings_of_one
from application import pricing
from application.envelope import Context
from application.importing import Report
from application.rate_files import COLUMNS, ReadCards, read_rate_cards
from application.rules_of import rules_of
from application.settings import Settings
from application.spreadsheets import Unreadable
from application.store import Store
from application.streams import MALL, RATES
from application.unit import Command
from application.vault import MasterKeys, Vault
from domain.refusals import Refusal


def rates(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only look; nothing is kept")] = False,
    data: Data = Path("data"),
    report: ReportPath = None,
    by: By = None,
) -> None:
    """Publish carriers' rate cards: a row a lane, or a price within a city, a surcharge, a tier.

    Columns carrier, effective_from, origin, destinations, first_yuan, additional_yuan, hours, and
    what docs/rate-sheets.md names. A card with a refused row is held back whole. The same file
    again changes nothing.

    Exit status: 0 every card is published, now or before; 1 some rows were refused and are in the
    report, with the others of their cards; 2 the file cannot be used, nothing was published.
    """
    settings = settings_of_one(data)
    refused = Report(report or file.with_name(f"{file.name}.refused.csv"), columns=tuple(COLUMNS))
    try:
        read = read_rate_cards(file, zone=rules_of(settings).zone)
        with serving.database(settings) as found:
            if settings.database_url is None:
                serving.prepare(settings, found)
            url, actor = found.service_url, by or getpass.getuser()
            published = asyncio.run(_publish(settings, url, file, read, actor, dry_run=dry_run))
    except (Unreadable, Refusal) as refused_whole:
        raise unused(file, refused_whole, nothing=("published", "发布")) from None
    said(_summary(read, published, dry_run=dry_run))
    for one in read.refused:
        refused.keep(one)
    if refused.write():
        said(f"{refused.rows:,} rows are in {refused.path}", style="yellow")
        raise typer.Exit(1)


async def _publish(
    settings: Settings, url: str, file: Path, read: ReadCards, actor: str, *, dry_run: bool
) -> list[dict[str, Any]]:
    vault = Vault(MasterKeys.load(settings.key_folder / "master.json"), tenant=settings.tenant)
    published: list[dict[str, Any]] = []

    def decide(unit: Any) -> dict[str, Any]:
        published[:] = pricing.publish_rate_cards(unit, cards=read.cards)["cards"]
        return {"cards": published}

    principal = f"operations:{actor}"
    # What a card says makes it the same; the same file after another card is another wish.
    key = f"import:rates:{secrets.token_hex(8)}"
    command = Command(
        principal=principal,
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor=principal, command=key, reason=f"import of {file.name}"),
        decide=decide,
        streams=(RATES.stream(MALL),),
        asks_only=dry_run,
    )
    async with Store(url, schema=settings.tenant, vault=vault) as store:
        await store.execute(command)
    return published


def _summary(read: ReadCards, published: list[dict[str, Any]], *, dry_run: bool) -> str:
    new = sum(one["changed"] for one in published)
    looked = "Only looked, nothing was kept: " if dry_run else ""
    return (
        f"{looked}{read.rows:,} rows: {new:,} cards published, {len(published) - new:,} known "
        f"already, {read.held_back:,} held back; {len(read.refused):,} rows refused"
    )
