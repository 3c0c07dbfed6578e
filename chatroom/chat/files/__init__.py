"""Shared files: their records, the transfer of their bytes, and the commands about them.

From below to above: ``record`` is a file's record, ``record_storage`` how it is stored, and ``store`` finds, changes
and removes files. ``upload_limits`` checks the size of a file and reserves space for its upload, ``finishing``
publishes complete files, and ``expiry`` removes old ones. ``transfers`` has the ``uploads`` and ``downloads`` of one
session, and ``sharing`` handles commands.
"""
