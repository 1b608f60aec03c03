"""What Dagster and the terminal show of the fleet."""
