"""导入命令 `tallypost import …` (contract.md, Commands)."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api import serving
from api.commands.settings import Data, settings_of_one
from application.importing import Imported, Report, import_grants
from application.rules_of import rules_of
from application.settings import Settings
from application.spreadsheets import Unreadable
from application.store import Store
from application.vault import MasterKeys, Vault
from domain.reasons import reason_zh
from domain.refusals import Refusal

import_app = typer.Typer(help="Table files, CSV or XLSX, row by row.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="CSV (UTF-8 or GBK) or XLSX; heads in the first row")]
ReportPath = Annotated[
    Path | None, typer.Option("--report", help="where refused rows go; FILE.refused.csv if not set")
]
By = Annotated[str | None, typer.Option("--by", help="who imports; the login's name if not set")]

told = Console(stderr=True)


@import_app.command("grants")
def grants(file: File, data: Data = Path("data"), report: ReportPath = None, by: By = None) -> None:
    """Grant every row: columns learner, points, reason, source, and, if wanted, happened_at,
    expires_at, carried_over. The same file again grants nothing twice.

    Exit status: 0 all rows were granted, now or before; 1 some were refused and are in the report;
    2 the file cannot be read, nothing was granted.
    """
    settings = settings_of_one(data)
    refused = Report(report or file.with_name(f"{file.name}.refused.csv"))
    with serving.database(settings) as found:
        if settings.database_url is None:
            serving.prepare(settings, found)
        try:
            imported = asyncio.run(
                _grants(settings, found.service_url, file, refused, by or getpass.getuser())
            )
        except Unreadable as unreadable:
            raise unused(file, unreadable, nothing=("granted", "发放")) from None
    said(_summary(imported))
    if refused.write():
        said(f"{refused.rows:,} refused rows are in {refused.path}", style="yellow")
        raise typer.Exit(1)


async def _grants(
    settings: Settings, url: str, file: Path, refused: Report, actor: str
) -> Imported:
    vault = Vault(MasterKeys.load(settings.key_folder / "master.json"), tenant=settings.tenant)
    async with Store(url, schema=settings.tenant, vault=vault) as store:
        with told.status("reading the file") as status:
            return await import_grants(
                file,
                store,
                rules=rules_of(settings),
                actor=f"operator:{actor}",
                keep=refused.keep,
                tell=lambda so_far: status.update(_summary(so_far)),
            )


def _summary(imported: Imported) -> str:
    refused = ", ".join(f"{code} {count:,}" for code, count in sorted(imported.refused.items()))
    return (
        f"{imported.rows:,} rows: {imported.granted:,} granted ({imported.points:,} points), "
        f"{imported.duplicates:,} granted before, {imported.refused.total():,} refused"
        + (f" ({refused})" if refused else "")
    )


def unused(file: Path, refused: Unreadable | Refusal, *, nothing: tuple[str, str]) -> typer.Exit:
    """Say in English and Chinese why a file cannot be used (M4); the exit that it comes to.

    `nothing` says in both what was done with none of it.
    """
    if isinstance(refused, Refusal):
        english, chinese = refused.message("en"), refused.message("zh")
    else:
        english, chinese = str(refused), reason_zh(str(refused))
    said(f"{file}: {english} ({refused.code}); nothing was {nothing[0]}.", style="red")
    said(f"{file}：{chinese}({refused.code})；未{nothing[1]}任何内容。", style="red")
    return typer.Exit(2)


def said(text: str, *, style: str = "") -> None:
    """Tell whoever imports."""
    told.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
