"""Pricing: what a `Usage` costs, where that is known."""
