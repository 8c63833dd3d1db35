"""What every command begins with: the settings, and what is wrong with them, said at once."""

import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console

from application.settings import Settings

Data = Annotated[Path, typer.Option("--data", help="folder of the embedded database and the keys")]
Tenant = Annotated[str | None, typer.Option(help="the schema, if not the default one")]
PREFIX = "TALLYPOST_"

told = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


def settings_of(data: Path) -> Settings:
    """The settings of all tenants, with the data folder of the command line.

    Exits with 2 where the environment says something unusable; a variable of ours that sets
    nothing is named on stderr.
    """
    try:
        settings = Settings(data=data.resolve())
    except ValidationError as error:
        for one in error.errors(include_url=False):
            told.print(_said_of(*map(str, one["loc"]), one["msg"]), style="red")
        raise typer.Exit(2) from None
    except SettingsError as error:
        told.print(f"{error}: it has to be JSON", style="red")
        raise typer.Exit(2) from None
    known = {_variable(field) for field in Settings.model_fields}
    for name in sorted(os.environ.keys() - known):
        if name.startswith(PREFIX):
            told.print(f"{name} is no setting: nothing follows from it", style="yellow")
    return settings


def settings_of_one(data: Path, tenant: str | None = None) -> Settings:
    """The same for one tenant, with what it has of its own; None: the default one."""
    settings = settings_of(data)
    return settings.of(tenant or settings.tenant)


def _said_of(*parts: str) -> str:
    """Which setting, where in it, what is wrong; what is wrong with several names them itself."""
    where, what = parts[:-1], parts[-1].removeprefix("Value error, ")
    return ": ".join([*([_variable(where[0])] if where else []), *where[1:], what])


def _variable(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{field.upper()}"
