"""Rooms: found and made, entered and left, looked at, kept in order; what is too old goes."""
