"""R51: the service as it is, but with so little room in the system for what waits to be read that
a few hundred news fill it; how long they may wait is in the environment (CONTROL: 0)."""

import asyncio
import os
import socket

from api import edge
from api.command_line import main

made = edge.Impatient.connection_made


def connection_made(self: edge.Impatient, transport: asyncio.Transport) -> None:
    """As it is; the system gives no room to a size that was set."""
    made(self, transport)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)


if __name__ == "__main__":
    edge.UNREAD_SECONDS = float(os.environ["UNREAD_SECONDS"])
    edge.Impatient.connection_made = connection_made  # type: ignore[method-assign]
    main()
