"""假设命令 `tallypost what-if`: another rule on the log as it is, before it is switched on (M6)."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import AsyncConnection
from pydantic import ValidationError
from pydantic_core import to_json
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api import serving
from api.commands.settings import Data, Tenant, settings_of_one
from application.envelope import Context
from application.rules_of import rules_of
from application.settings import Settings
from application.store import Store
from application.vault import MasterKeys, Vault
from domain.refusals import InvalidRequest
from projections.what_if import Change, Hears
from projections.what_if import what_if as rehearse

told = Console(stderr=True)
SUMS = (
    "parcels", "freight_fen", "packaging_fen", "handling_fen", "total_fen", "promised_hours",
)  # fmt: skip


def what_if(
    change: Annotated[Path, typer.Argument(help="JSON: what is to be otherwise")],
    data: Data = Path("data"),
    tenant: Tenant = None,
    as_json: Annotated[bool, typer.Option("--json", help="the whole answer as JSON")] = False,
) -> None:
    """Run another rule over all that happened, and show what would differ. Nothing is recorded.

    The file names any of max_parts, carrier_gain_percent, valuable_fen, rate_cards and warehouses
    (as the API takes them), placement ({"SKU": {"warehouse": per cent}}), expiry ({"days": 365}),
    and since and until, the first and the last day of the change. What could not be put into force
    is refused.

    Exit status: 0 done; 2 the file cannot be used.
    """
    settings = settings_of_one(data, tenant)
    try:
        wanted = Change.model_validate_json(change.read_bytes())
    except OSError as error:
        raise _unusable(f"{change}: {error.strerror}") from None
    except ValidationError as error:
        for one in error.errors(include_url=False):
            place = ".".join(map(str, one["loc"]))
            told.print(f"{change}: {place}: {one['msg']}".replace(": : ", ": "), style="red")
        raise typer.Exit(2) from None
    with serving.database(settings) as found, Progress(console=told, transient=True) as bar:
        task = bar.add_task("rehearsing", total=None)

        async def progress(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        try:
            answer = asyncio.run(_rehearse(settings, found.service_url, wanted, progress))
        except InvalidRequest as refused:
            raise _unusable(f"{change}: {refused.message()}") from None
    if as_json:
        typer.echo(to_json(answer, indent=1).decode())
    else:
        _show(answer)


async def _rehearse(
    settings: Settings, url: str, change: Change, progress: Hears
) -> dict[str, Any]:
    # Nothing is sealed or opened, so any key will do.
    vault = Vault(MasterKeys.new(), tenant=settings.tenant)
    context = Context(actor=f"operations:{getpass.getuser()}", command="what-if")
    async with Store(url, schema=settings.tenant, vault=vault) as store:
        change = await change.as_recorded(store, context)
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        return await rehearse(
            connection, settings.tenant, change, rules=rules_of(settings), progress=progress
        )


def _unusable(why: str) -> typer.Exit:
    told.print(why, style="red")
    return typer.Exit(2)


def _show(answer: dict[str, Any]) -> None:
    console = Console()
    deliveries = answer["deliveries"]
    console.print(
        f"{deliveries['orders']:,} orders up to position {answer['position']:,}:"
        f" {deliveries['differing']:,} would differ,"
        f" {deliveries['impossible']:,} would be impossible,"
        f" {deliveries['unpriced']:,} have no price to compare."
    )
    table = Table("", "was", "would be", box=None)
    for name in SUMS:
        table.add_row(name, *(_figure(deliveries[side][name]) for side in ("was", "would_be")))
    for name in ("by_warehouse", "by_carrier"):
        sides = [deliveries[side][name] for side in ("was", "would_be")]
        for key in sorted({*sides[0], *sides[1]}):
            table.add_row(f"parcels of {key}", *(_figure(side.get(key, 0)) for side in sides))
    points = answer["points"]
    if points is not None:
        for name in ("expired", "liability"):
            table.add_row(
                f"points {name}", *(_figure(points[name][side]) for side in ("was", "would_be"))
            )
        unpaid = points["unaffordable"]["orders"]
        table.add_row("orders that could not be paid", "0", _figure(unpaid))
    console.print(table)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,}"
