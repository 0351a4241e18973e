"""Checks of the saved sessions, repairs, and recovery of data from a damaged file."""
