"""What people look at: folds of the log into PostgreSQL tables, and the queries on them."""
