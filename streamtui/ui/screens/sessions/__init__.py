"""The screen of the saved sessions: a list to search, filter and tidy, beside a preview."""
