"""The daemon: reads the options and builds the server. Only this package may import all server packages."""
