-- What an entry's points were earned with, or taken for: whoever takes a grant back names it (L5).
ALTER TABLE {schema}.ledger_entries ADD COLUMN source text COLLATE "C";
