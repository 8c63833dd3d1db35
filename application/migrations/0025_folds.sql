-- By which code a view's rows were folded: an upgrade folds anew what older code folded (A2).
ALTER TABLE {schema}.views ADD COLUMN fold text;
-- A view that has seen nothing yet begins with the code that begins it.
DELETE FROM {schema}.views WHERE position = 0;
