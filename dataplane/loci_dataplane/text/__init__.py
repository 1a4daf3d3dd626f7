"""Text analysis: from text to index terms, and from long text to parts. Pure; every store and every search uses it."""
