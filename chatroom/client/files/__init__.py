"""Sending and fetching files: several at once, and over lost connections and restarts of the client.

``transfers`` holds all transfers; each is a ``Transfer``, that is an ``upload`` or a ``download``. ``local_file`` reads
the files that are sent, ``partial_file`` writes those that are fetched, ``progress`` computes how far a transfer is.
``commands`` are ``/send``, ``/get`` and ``/cancel``.
"""
