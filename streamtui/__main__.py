"""Lets `python -m streamtui` start the program."""

from streamtui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
