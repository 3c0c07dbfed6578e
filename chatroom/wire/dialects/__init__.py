"""The dialects: how people and programs speak to the server. Each makes commands of lines, and bytes of events."""
