"""Holding a grader against people's labels: the labelled calls, the figures, the verdict, and where it is kept."""
