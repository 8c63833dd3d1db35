"""R51 CONTROL: the service as it is, but for watchers' queues, which have no bound."""

from api.command_line import main
from projections import live

if __name__ == "__main__":
    live.QUEUE_MAX = 0  # asyncio's word for it
    main()
