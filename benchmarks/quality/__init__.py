"""Measurements of the quality steps on calls made for it; run by hand."""
