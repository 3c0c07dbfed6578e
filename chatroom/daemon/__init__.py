"""The daemon: its options, and the assembly of all parts. Only this package may import all server packages."""
