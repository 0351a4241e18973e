"""The chat in a browser: a web server that runs one process per page."""
