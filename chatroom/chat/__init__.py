"""The domain: who is in which room, what they may do, what becomes an event. No sockets, no SQL, no clock."""
