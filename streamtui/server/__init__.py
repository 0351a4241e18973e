"""The relay behind `streamtui serve`: an OpenAI-compatible server in front of the configured endpoints."""
