"""The same screen in a browser: a server of pages, each of which is a process of its own."""
