"""The daemon: what the operator decides, and everything put together. Only this package knows all the others."""
