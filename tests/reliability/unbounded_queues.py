"""R51 CONTROL: the service as it is, but nothing that waits for a reader has a bound."""

from api import edge
from api.command_line import main
from projections import live

if __name__ == "__main__":
    live.QUEUE_MAX = 0  # asyncio's word for it
    edge.UNREAD_SECONDS = 0.0
    main()
