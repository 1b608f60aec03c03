"""Measurements of quality: duplicates, personal data, grades. Run by hand."""
