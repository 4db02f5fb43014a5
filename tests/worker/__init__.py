"""The worker, on real PostgreSQL and Valkey."""
