"""Who makes it happen: commands and their handlers, the event store, policies, ports, gateways."""
