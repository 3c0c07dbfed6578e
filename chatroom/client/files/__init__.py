"""Sending and fetching files: several at once, and also when connections are lost or the client restarts.

``transfers`` holds all files under way; each is a ``Transfer``: an ``upload`` or a ``download``. ``local_file`` reads
what is sent, ``partial_file`` writes what comes. ``progress`` computes how far a file is; ``commands`` are ``/send``,
``/get`` and ``/cancel``.
"""
