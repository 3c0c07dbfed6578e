"""The dialects of people (text) and of programs (JSON). Each turns lines into commands, and events into bytes."""
