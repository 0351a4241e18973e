"""What tests share: servers, builders, terminals and samples."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""
