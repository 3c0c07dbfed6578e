"""The embedded engine: logs, records and the search index in one SQLite file."""
