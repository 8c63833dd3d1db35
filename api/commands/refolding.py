"""视图更新 Views that other code folded, folded anew with a bar that shows how far it is (A2)."""

import asyncio
import logging
from collections.abc import Sequence

from rich.console import Console
from rich.progress import Progress

from domain.house_rules import HouseRules
from projections.reading import View
from projections.rebuilding import RebuildRunning, Rebuilt, outdated, rebuild
from projections.views import all_views

logger = logging.getLogger(__name__)


def rebuild_with_bar(
    owner_url: str, *, schema: str, views: Sequence[View], what: str
) -> list[Rebuilt]:
    """Rebuild these views beside the live ones. Raises `RebuildRunning`."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def progress(done: int, of: int) -> None:
            bar.update(task, completed=done if of else 1, total=of or 1)

        return asyncio.run(rebuild(owner_url, schema=schema, views=views, progress=progress))


def outdated_views(conninfo: str, *, schema: str, rules: HouseRules) -> list[View]:
    """The views whose rows another version of this code folded."""
    return asyncio.run(outdated(conninfo, schema=schema, views=all_views(rules)))


def refold(owner_url: str, *, schema: str, rules: HouseRules) -> list[str]:
    """Bring the views up to this code, which an upgrade needs; returns the names of those it was.

    Where somebody else is at it, they are left to it.
    """
    views = outdated_views(owner_url, schema=schema, rules=rules)
    if not views:
        return []
    try:
        rebuilt = rebuild_with_bar(owner_url, schema=schema, views=views, what="folding views anew")
    except RebuildRunning as error:
        logger.warning("%s is being rebuilt by somebody else", error)
        return []
    return [one.view for one in rebuilt]
