"""The day's story, its charts, its document."""
