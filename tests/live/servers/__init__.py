"""Real servers, one file for each kind."""
