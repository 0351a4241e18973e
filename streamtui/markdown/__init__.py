"""Streaming Markdown: text becomes blocks of styled lines at a constant cost per token. Knows no Textual and no colours."""
