"""One file per concern; each measures its section of the report and knows nothing of the others."""
