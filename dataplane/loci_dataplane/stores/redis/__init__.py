"""The SearchCache port on a Redis or Valkey server or cluster."""
