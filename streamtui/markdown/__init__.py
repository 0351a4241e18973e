"""Streaming Markdown: text becomes blocks of styled lines at a constant cost per token. No Textual, no colours."""
