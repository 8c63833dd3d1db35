"""导入账单 The command `tallypost import bills` (W6; contract.md, Commands)."""

import asyncio
import getpass
import hashlib
import secrets
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api import serving
from api.commands.importing import By, File, ReportPath, said, unused
from api.commands.settings import Data, settings_of_one
from application import billing
from application.bill_files import COLUMNS, read_bill
from application.envelope import Context
from application.importing import Report
from application.rules_of import rules_of
from application.settings import Settings
from application.spreadsheets import Unreadable
from application.store import Store
from application.streams import BILL
from application.unit import Command, Unit
from application.vault import MasterKeys, Vault
from domain.bill_facts import BillKind
from domain.bills import BillFile
from domain.refusals import Refusal

Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="what it is about, if no row says so")
]


def bills(
    file: File,
    partner: Annotated[
        str, typer.Option("--from", help="carrier, warehouse, means of payment or channel")
    ],
    kind: Annotated[BillKind, typer.Option(help="who bills")],
    number: Annotated[
        str | None, typer.Option(help="the bill's own; the file's name if not set")
    ] = None,
    first_day: Day = None,
    last_day: Day = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only look; nothing is kept")] = False,
    data: Data = Path("data"),
    report: ReportPath = None,
    by: By = None,
) -> None:
    """Take a partner's bill: columns number and amount (yuan), and, if there, charge, weight (kg),
    quantity and day, by these names or the usual Chinese ones. The same bill again is one bill;
    other lines under its number take its place. Worker and pages show what of it differs.

    Exit status: 0 every row was read; 1 some were refused and are in the report, the bill lacks
    them; 2 the file or the request cannot be used, nothing was kept.
    """
    settings = settings_of_one(data)
    refused = Report(report or file.with_name(f"{file.name}.refused.csv"), columns=tuple(COLUMNS))
    try:
        read = read_bill(
            file, kind=kind, partner=partner, number=number or file.stem, called=file.name,
            zone=rules_of(settings).zone, first_day=_day(first_day), last_day=_day(last_day),
        )  # fmt: skip
        with serving.database(settings) as found:
            if settings.database_url is None:
                serving.prepare(settings, found)
            taken = asyncio.run(
                _take(settings, found.service_url, read.file, by or getpass.getuser(), dry_run)
            )
    except (Unreadable, Refusal) as refused_whole:
        raise unused(file, refused_whole, nothing=("kept", "保存")) from None
    said(_summary(taken, dry_run))
    if read.left_out:
        said(f"Columns that were not read: {', '.join(read.left_out)}")
    for one in read.refused:
        refused.keep(one)
    if refused.write():
        said(f"{refused.rows:,} refused rows are in {refused.path}", style="yellow")
        raise typer.Exit(1)


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


async def _take(
    settings: Settings, url: str, file: BillFile, actor: str, dry_run: bool
) -> dict[str, Any]:
    vault = Vault(MasterKeys.load(settings.key_folder / "master.json"), tenant=settings.tenant)
    taken: list[dict[str, Any]] = []

    def decide(unit: Unit) -> dict[str, Any]:
        taken.append(billing.receive_bill(unit, file=file))
        return taken[-1]

    principal = f"operations:{actor}"
    # Its lines make it the same bill; the same file after another version is another wish.
    key = f"import:{file.key}:{secrets.token_hex(8)}"
    command = Command(
        principal=principal,
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor=principal, command=key, reason=f"import of {file.file}"),
        decide=decide,
        streams=(BILL.stream(file.key),),
        asks_only=dry_run,
    )
    async with Store(url, schema=settings.tenant, vault=vault) as store:
        await store.execute(command)
    return taken[-1]


def _summary(taken: dict[str, Any], dry_run: bool) -> str:
    what = {
        "received": "a new bill",
        "replaced": f"revision {taken['revision']}, in the place of the one before",
        "known": "known already, nothing changed",
    }[taken["status"]]
    looked = "Only looked, nothing was kept: " if dry_run else ""
    yuan = f"{taken['total_fen'] / 100:,.2f}"
    return f"{looked}{taken['bill']}: {what}; {taken['lines']:,} lines, {yuan} yuan"
