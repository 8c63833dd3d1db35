"""命令行 The `tallypost` command (contract.md, Commands)."""

import asyncio
import getpass
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from psycopg import AsyncConnection
from rich.console import Console
from rich.table import Table

from api import serving
from api.auth import SIGNED_WITH, Role, Tokens
from api.commands.audit import audit_app, keys_app, rebuild, verify
from api.commands.bills import bills
from api.commands.demo import tell
from api.commands.importing import import_app
from api.commands.rates import rates
from api.commands.refolding import refold
from api.commands.settings import Data, settings_of, settings_of_one
from api.commands.what_if import what_if
from api.ports import PortRefused, claimed
from api.sandbox.limits import QUERY_AGAIN, Limits
from api.sandbox.partners import create_sandbox
from api.sandbox.script import ScriptRefused, read_script
from application.demo_mall import LEARNERS, open_demo_mall
from application.guarding import UnsafeDatabase
from application.key_files import KeyFileRefused, must_be_there
from application.logs import configure_logs
from application.migrating import MigrationError
from application.revocations import revoke as revoke_tokens
from application.rules_of import rules_of
from application.server_account import EmbeddedPostgresError
from application.settings import Settings
from application.store import Store
from application.vault import MasterKeys, Vault

app = typer.Typer(
    pretty_exceptions_enable=False,
    help="Tallypost: the back office of a points mall.",
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(audit_app, name="audit")
import_app.command("bills")(bills)
import_app.command("rates")(rates)
app.add_typer(import_app, name="import")
app.add_typer(keys_app, name="keys")
app.command()(verify)
app.command()(rebuild)
app.command("what-if")(what_if)
console = Console()

Host = Annotated[str, typer.Option("--host")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535)]


@app.callback()
def _start() -> None:
    configure_logs()


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=16, help="background workers")] = 1,
    data: Data = Path("data"),
    demo: Annotated[bool, typer.Option(help="fill an empty mall")] = True,
) -> None:
    """API and background worker, on the embedded PostgreSQL or on DATABASE_URL."""
    os.environ.setdefault("TALLYPOST_PUBLIC_URL", f"http://{host}:{port}")
    settings = settings_of(data)

    def opened(found: serving.Database) -> None:
        if demo:
            asyncio.run(_fill(settings, found.service_url))

    def ready() -> None:
        _announce(settings, host, port, sandbox=demo)

    raise typer.Exit(
        serving.supervise(
            settings, host=host, port=port, workers=workers, sandbox=demo, opened=opened,
            ready=ready,
        )
    )  # fmt: skip


@app.command()
def api(host: Host = "127.0.0.1", port: Port = 8000, data: Data = Path("data")) -> None:
    """The API alone, for several processes or machines."""
    settings = settings_of(data)
    with serving.database(settings) as found:
        serving.prepare(settings, found)
        serving.run_api(settings, found.service_url, host=host, port=port)


@app.command()
def worker(data: Data = Path("data")) -> None:
    """The background worker alone: views, policies, jobs."""
    settings = settings_of(data)
    with serving.database(settings) as found:
        serving.prepare(settings, found)
        serving.run_worker(settings, found.service_url)


@app.command()
def token(
    subject: Annotated[list[str], typer.Option(help="whom it speaks for; may be repeated")],
    role: Annotated[Role | None, typer.Option(help="what the bearer may do")] = None,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="refuse what the subjects were given up to now")
    ] = False,
    reason: Annotated[str, typer.Option(help="why it is revoked; kept on record")] = "",
    data: Data = Path("data"),
) -> None:
    """Print a bearer token a line, in the order of the subjects; or revoke theirs (R44).

    Revoking ends all tokens of a subject, whatever the role, within a minute in every process.
    """
    if not all(one.strip() for one in subject):
        raise typer.BadParameter("a token speaks for somebody", param_hint="--subject")
    settings = settings_of(data)
    if revoke:
        asyncio.run(_revoke(settings, subject, reason))
        typer.echo("\n".join(f"{one}: tokens issued up to now are refused" for one in subject))
        return
    if role is None:
        raise typer.BadParameter("a token needs a role", param_hint="--role")
    must_be_there(settings.key_folder / SIGNED_WITH)
    tokens = Tokens.in_folder(settings.key_folder)
    for one in subject:
        typer.echo(tokens.issue(role, one, tenant=settings.tenant))


@app.command()
def migrate(
    data: Data = Path("data"),
    views: Annotated[
        bool, typer.Option("--views/--no-views", help="also fold views of other code anew")
    ] = True,
) -> None:
    """Bring the schemas of all tenants up to date, as the owner, and their views.

    A big log's views take a while (some 10,000 events/s): `--no-views` leaves them to
    `tallypost rebuild outdated`; the service runs meanwhile, and `/health` names them.
    """
    settings = settings_of(data)
    with serving.database(settings, owner=True) as found:
        for tenant in serving.tenants_of(settings):
            applied = serving.migrate_all(found.owner_url, tenant)
            if views:
                folded = refold(found.owner_url, schema=tenant, rules=rules_of(settings.of(tenant)))
                applied += [f"view {name}" for name in folded]
            typer.echo(f"{tenant}: {', '.join(applied) or 'up to date'}")


@app.command()
def demo() -> None:
    """The whole story on an embedded PostgreSQL, narrated, in about a minute."""
    tell(console)


@app.command()
def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8090,
    data: Data = Path("data"),
    script: Annotated[
        Path | None, typer.Option(help="what they do when, a step a line", dir_okay=False)
    ] = None,
    query_again_minutes: Annotated[
        float, typer.Option(min=0, help="how soon one waybill may be asked about again")
    ] = QUERY_AGAIN / timedelta(minutes=1),
) -> None:
    """The partners' simulators on one local port; its page shows them and lets them misbehave."""
    try:
        played = None if script is None else read_script(script.read_text())
    except (OSError, UnicodeDecodeError, ScriptRefused) as wrong:
        typer.echo(f"{script}: {wrong}", err=True)
        raise typer.Exit(2) from None
    with claimed((host, port, "where the sandbox was to be")):
        limits = Limits(query_again=timedelta(minutes=query_again_minutes))
        secret = settings_of_one(data).payment_key
        partners = create_sandbox(secret, limits=limits, script=played)
    uvicorn.run(partners, host=host, port=port, log_level="warning")


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="all of them if none is named")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON line each")] = False,
) -> None:
    """The benchmarks of docs/benchmarks.md, as ratios measured in one run."""
    checkout = Path(__file__).resolve().parent.parent
    if not (checkout / "tests" / "bench").is_dir():
        typer.echo("The benchmarks are in the checkout, not in an installed service.", err=True)
        raise typer.Exit(2)
    sys.path.insert(0, str(checkout))
    from tests import bench as benchmarks

    raise typer.Exit(benchmarks.main(names or [], as_json))


async def _revoke(settings: Settings, subjects: list[str], reason: str) -> None:
    with serving.database_there(settings) as found:
        async with await AsyncConnection.connect(found.service_url, autocommit=True) as connection:
            await revoke_tokens(
                connection,
                settings.tenant,
                subjects=subjects,
                reason=reason,
                actor=f"operator:{getpass.getuser()}",
            )


async def _fill(settings: Settings, url: str) -> None:
    vault = Vault(MasterKeys.load(settings.key_folder / "master.json"), tenant=settings.tenant)
    async with Store(url, schema=settings.tenant, vault=vault) as store:
        await open_demo_mall(store, rules_of(settings.of(settings.tenant)))


def _announce(settings: Settings, host: str, port: int, *, sandbox: bool) -> None:
    tokens = Tokens.in_folder(settings.key_folder)
    base = f"http://{host}:{port}"
    console.print(f"\n[bold]Tallypost[/bold] is at [link]{base}[/link]  (API: {base}/docs)\n")
    table = Table("role", "subject", "page", "token", box=None)
    people = [(Role.LEARNER, one, "/") for one in LEARNERS]
    people += [
        (Role.OPERATIONS, "ops", "/operations"),
        (Role.SUPPORT, "desk", "/support"),
        # Somebody else has to allow what is much (A8).
        (Role.ADMINISTRATOR, "chief", "/operations"),
        (Role.AUDITOR, "audit", "/audit"),
        (Role.SERVICE, "platform", "/docs"),
    ]
    links = []
    for role, subject, page in people:
        issued = tokens.issue(role, subject, tenant=settings.tenant)
        table.add_row(role, subject, base + page, issued)
        if role is not Role.SERVICE:
            links.append(f" {subject:6} {base}/login#token={issued}")
    # A token must come out whole: never cut or wrapped by the width of a terminal.
    Console(width=600, soft_wrap=True).print(table)
    console.print("\nLog in to the pages with a click (what follows # is in no log):")
    typer.echo("\n".join(links))
    if sandbox:
        console.print(f"\nThe partners are played at [link]http://127.0.0.1:{port + 1}[/link]")
    console.print("\nStop with Ctrl-C; the data stays in", str(settings.data))


def main() -> None:
    """Entry point of the console script: what a user can mend is said without a trace.

    Status 2 says that a command was pointed to the wrong place, 1 that something is not as it
    has to be there.
    """
    try:
        app()
    except serving.WrongDatabase as error:
        raise SystemExit(_said(error, status=2)) from None
    except (
        UnsafeDatabase,
        PortRefused,
        serving.NotMigrated,
        EmbeddedPostgresError,
        KeyFileRefused,
        MigrationError,
    ) as error:
        raise SystemExit(_said(error, status=1)) from None


def _said(error: Exception, *, status: int) -> int:
    """Never on stdout, which may be a document's or a token's."""
    told = Console(stderr=True)
    told.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
    return status


if __name__ == "__main__":
    main()
