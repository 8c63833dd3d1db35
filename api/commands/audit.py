"""审计命令 `tallypost audit …`, `verify`, `rebuild`, `keys …` (contract.md, Commands)."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import AsyncConnection
from rich.console import Console
from rich.progress import Progress

from api.commands.refolding import outdated_views, rebuild_with_bar
from api.commands.settings import Data, Tenant, settings_of, settings_of_one
from application import sealing
from application.checking import check as check_document
from application.heads import HeadUnreadable, SignedHead, public_key
from application.key_rotation import MASTER_KEYS, add_master_key, rewrap_all
from application.rules_of import rules_of
from application.settings import Settings
from application.vault import MasterKeys
from domain.refusals import Refusal
from projections.rebuilding import RebuildRunning
from projections.sealed_history import LogDiffers, export_stream, signed_head
from projections.verifying import verify as verify_all
from projections.views import all_views

audit_app = typer.Typer(help="Sealed history, checked without a database.", no_args_is_help=True)
keys_app = typer.Typer(help="The master keys of the vault.", no_args_is_help=True)

At = Annotated[int | None, typer.Option("--position", min=0, help="as of this log position")]
SinceHead = Annotated[
    list[Path] | None,
    typer.Option("--since-head", help="prove that the log only grew since this head; repeatable"),
]
HeadFile = Annotated[Path | None, typer.Option("--head", help="a head that was kept outside")]
KeyFile = Annotated[Path | None, typer.Option("--key", help="the house's public key (PEM)")]

T = TypeVar("T")
# What people read goes to stderr where stdout carries a document.
told = Console(stderr=True)


def _write(document: bytes) -> None:
    sys.stdout.buffer.write(document)
    sys.stdout.buffer.flush()


def _fail(message: str) -> typer.Exit:
    told.print(message, style="red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(1)


def _head_in(path: Path) -> SignedHead:
    try:
        return SignedHead.from_json(path.read_bytes())
    except HeadUnreadable as error:
        raise _fail(f"{path}: {error}; `tallypost audit head` prints one") from None
    except OSError as error:
        raise _fail(f"{path}: {error.strerror}") from None


def _asked(
    settings: Settings,
    ask: Callable[[AsyncConnection[Any], Ed25519PrivateKey], Awaitable[T]],
) -> T:
    """Ask the tenant's database, as the service login, which cannot change the log.

    The signing key is handed on once there is something to sign: it is made at its first use.
    """
    from api.serving import database_there

    async def asking(url: str) -> T:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            return await ask(connection, sealing.signing_key_in(settings.key_folder))

    try:
        with database_there(settings) as found:
            return asyncio.run(asking(found.service_url))
    except LogDiffers as error:
        raise _fail(f"{error} — `tallypost verify` names what differs") from None
    except Refusal as error:
        raise _fail(str(error)) from None


@audit_app.command()
def head(data: Data = Path("data"), tenant: Tenant = None, position: At = None) -> None:
    """Print the newest signed head: keep it where nobody who runs this service can change it."""
    settings = settings_of_one(data, tenant)
    made = _asked(
        settings,
        lambda asking, private: signed_head(asking, settings.tenant, private, position=position),
    )
    _write(json.dumps(made.to_json(), indent=1).encode() + b"\n")


@audit_app.command()
def export(
    stream: Annotated[str, typer.Argument(help="account:lin, order:T…, parcel:…")],
    data: Data = Path("data"),
    tenant: Tenant = None,
    position: At = None,
    since_head: SinceHead = None,
) -> None:
    """Print a stream's whole history, sealed; the same bytes whenever made at that position.

    With --since-head it also proves that the log only grew since a head kept before, so that
    `audit check --head` accepts it by that one.
    """
    settings = settings_of_one(data, tenant)
    since = [_head_in(path) for path in since_head or []]
    document = _asked(
        settings,
        lambda asking, private: export_stream(
            asking, settings.tenant, stream, private, position=position, since=since
        ),
    )
    _write(document)


@audit_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="an export, a report or an evidence pack")],
    head: HeadFile = None,
    key: KeyFile = None,
) -> None:
    """Check what left the house without a database; refused: 1, without an anchor: 2."""
    public = None
    if key is not None:
        try:
            public = public_key(key.read_bytes())
        except (ValueError, OSError) as error:
            raise _fail(f"{key}: {error}") from None
    kept = None if head is None else _head_in(head)
    try:
        document = file.read_bytes()
    except OSError as error:
        raise _fail(f"{file}: {error.strerror}") from None
    result = check_document(document, head=kept, key=public)
    for finding in result.findings:
        typer.echo(_one_line(f"refused: {finding}"))
    if not result.findings:
        typer.echo("genuine" if result.anchored else "consistent with itself only")
        for note in result.notes:
            typer.echo(_one_line(note))
    raise typer.Exit(result.status)


def _one_line(text: str) -> str:
    """A document's own words can neither end the line nor steer the terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def verify(
    data: Data = Path("data"),
    tenant: Tenant = None,
    head: Annotated[
        list[Path] | None,
        typer.Option("--head", help="a head that was kept outside; may be repeated"),
    ] = None,
) -> None:
    """Digest chain, views = replay, ledger balances; 1 and the place when anything differs."""
    from api.serving import database_there

    settings = settings_of_one(data, tenant)
    heads = [_head_in(path) for path in head or []]
    for one in heads:
        if one.tenant != settings.tenant:
            raise _fail(f"a head of {one.tenant} says nothing about {settings.tenant}")
    with (
        database_there(settings, owner=True) as found,
        Progress(console=told, transient=True) as bar,
    ):
        _tell_of_other_keys(settings, heads)
        task = bar.add_task("replaying", total=None)
        result = asyncio.run(
            verify_all(
                found.owner_url,
                schema=settings.tenant,
                views=all_views(rules_of(settings)),
                heads=heads,
                progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
        )
    for difference in result.differences:
        typer.echo(f"differs: {difference}")
    if not result.ok:
        raise typer.Exit(1)
    typer.echo(f"{result.position} events: digest chain, views, ledger, stock and grants agree.")
    typer.echo(", ".join(f"{name} at {at}" for name, at in result.views.items()))
    if not heads:
        typer.echo("No head kept outside was given: a tail that was cut off would not show.")


def _tell_of_other_keys(settings: Settings, heads: list[SignedHead]) -> None:
    if not heads:
        return
    public = sealing.signing_key_in(settings.key_folder).public_key()
    if not all(one.verify(public) for one in heads):
        told.print("A head was signed by another key: compared all the same.", style="yellow")


def rebuild(
    view: Annotated[str, typer.Argument(help="the view's name, `all` or `outdated`")],
    data: Data = Path("data"),
    tenant: Tenant = None,
) -> None:
    """Fold a view, or all, anew beside the live one, which goes on, then swap the two.

    `outdated` are those that another version of this code folded.
    """
    from api.serving import database_there

    settings = settings_of_one(data, tenant)
    rules = rules_of(settings)
    views = {one.name: one for one in all_views(rules)}
    with database_there(settings, owner=True) as found:
        if view == "outdated":
            wanted = outdated_views(
                found.owner_url, schema=settings.tenant, rules=rules_of(settings)
            )
        elif view == "all":
            wanted = list(views.values())
        elif view in views:
            wanted = [views[view]]
        else:
            raise _fail(f"no view is called {view}: {', '.join(views)}")
        try:
            rebuilt = rebuild_with_bar(
                found.owner_url, schema=settings.tenant, views=wanted, what=view
            )
        except RebuildRunning as error:
            raise _fail(f"{error} is being rebuilt already") from None
    for one in rebuilt:
        parked = f", {one.parked} events parked" if one.parked else ""
        typer.echo(f"{one.view}: rebuilt to position {one.position}{parked}")


@keys_app.command()
def rotate(
    data: Data = Path("data"),
    rewrap: Annotated[bool, typer.Option(help="wrap all subjects' keys at once")] = True,
) -> None:
    """Make a new master key and wrap every subject's key with it.

    The service may run: its processes read the ring again by themselves, if their key folder is
    this one. What they wrapped with the old key in the seconds until then, a later `keys rewrap`
    wraps anew.
    """
    settings = settings_of(data)
    ring = add_master_key(settings.key_folder)
    typer.echo(f"{ring.current} is the current master key, {len(ring.keys)} are in the ring")
    if rewrap:
        _rewrap(settings, ring)


@keys_app.command("rewrap")
def rewrap_command(data: Data = Path("data")) -> None:
    """Wrap with the current master key what an older one still wraps; no card is touched."""
    settings = settings_of(data)
    _rewrap(settings, MasterKeys.load(settings.key_folder / MASTER_KEYS))


def _rewrap(settings: Settings, ring: MasterKeys) -> None:
    from api.serving import database_there, tenants_of

    with database_there(settings) as found:
        for schema in tenants_of(settings):
            changed = asyncio.run(rewrap_all(found.service_url, schema=schema, master=ring))
            typer.echo(f"{schema}: {changed} keys wrapped anew")
