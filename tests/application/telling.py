"""A house whose log is told to subscribers, step by step."""

from typing import Any

from application.dispatching import Dispatcher
from application.gateways.outbound import Outbound
from application.subscriptions import Delivery, Subscription, Subscriptions
from tests.application.house import House

OWNER = "service:crm"


class Telling:
    """A house whose log is told to subscribers."""

    def __init__(self, house: House, outbound: Outbound) -> None:
        self.house = house
        self.outbound = outbound
        self.dispatcher = self.another()

    def another(self) -> Dispatcher:
        """One more dispatcher, as in another process."""
        return Dispatcher(self.house, self.outbound, clock=self.house.clock, chance=lambda: 0.5)

    async def step(self) -> None:
        """Tell what is due."""
        await self.dispatcher.step()

    async def subscribe(
        self,
        name: str,
        url: str,
        *facts: str,
        after: int | None = None,
    ) -> str:
        """A subscription; returns its secret."""
        async with self.house.pool.connection() as connection, connection.transaction():
            mine = Subscriptions(connection, schema=self.house.schema, vault=self.house.vault)
            await mine.create(
                name, owner=OWNER, url=url, facts=facts, after=after, now=self.house.now
            )
            return await mine.secret(name)

    async def call(self, name: str, *args: Any, **more: Any) -> Any:
        """Ask or tell the subscriptions something."""
        async with self.house.pool.connection() as connection:
            mine = Subscriptions(connection, schema=self.house.schema, vault=self.house.vault)
            return await getattr(mine, name)(*args, **more)

    async def named(self, name: str) -> Subscription:
        """A subscription as it stands."""
        found: Subscription = await self.call("named", name, owner=OWNER)
        return found

    async def deliveries(self, name: str) -> list[Delivery]:
        """Its tries, oldest first."""
        found: list[Delivery] = await self.call("deliveries", name, before=None, limit=1000)
        return found[::-1]

    async def events(self, number: int, *, learner: str = "mei") -> None:
        """So many grants."""
        first = next(self.house.serial)
        for one in range(number):
            await self.house.grant(learner, 10, f"C{first}-{one}", seen=False)
