"""Conversations: messages into memories, and memories into a block of text for a prompt."""
