"""End-to-end encryption without any input or output: keys and messages go in, keys and messages come out.

Nothing here asks a server, reads a clock or waits. Times are passed in, in milliseconds; randomness is a function that
is passed in. What must outlive the program is kept in ``rows``: a new object over the same rows continues where the old
one stopped. Commit the rows before anything that was sealed is sent.

``identity`` holds the own keys, ``device_records`` checks the keys of other users, ``contacts`` remembers them.
``olm_sessions`` seals and opens messages between two devices. ``errors`` and ``encoding`` are shared.
"""
