"""How people reach it: HTTP routes by audience, pages, callbacks, command line, wiring."""
