"""The embedder: turns texts into vectors, batched by priority, behind an OpenAI-compatible endpoint."""
