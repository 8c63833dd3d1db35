"""Mirrors the rooms: given/when/then for domain, a real PostgreSQL for all the rest."""
