"""Importers for sessions of streamtui and other programs."""
