"""命令 What `tallypost` does besides serving: imports, audit, rehearsals, the demo."""
