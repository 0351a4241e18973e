"""streamtui: a full-screen terminal chat client for OpenAI and every OpenAI-compatible server."""

__version__ = "0.1.0"
