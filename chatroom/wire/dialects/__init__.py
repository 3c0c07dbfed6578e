"""The dialects of people and of programs. Each turns lines into commands, and events into bytes."""
