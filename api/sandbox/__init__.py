"""沙箱 The partners, played by one local server (`tallypost sandbox`)."""
