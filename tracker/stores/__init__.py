"""What is kept outside the process: PostgreSQL and Redis, one file for each thing that is kept."""
