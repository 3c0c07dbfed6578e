"""Files: shared and fetched, with their records and their bytes on the way."""
