"""The relay: an OpenAI-compatible server that keeps the real keys to itself."""
