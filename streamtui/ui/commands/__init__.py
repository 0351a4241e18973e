"""The handlers of the chat's commands, one module per feature."""
