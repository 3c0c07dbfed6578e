"""The core of end-to-end encryption: keys, sessions and trust. It has no connection, no clock and no Deferred."""
