"""The core of end-to-end encryption: keys, sessions and what is trusted. It has no connection, no clock and no Deferred."""
