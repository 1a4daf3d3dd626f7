"""The embedder: text to vector, batched with priorities, behind an OpenAI-compatible endpoint."""
