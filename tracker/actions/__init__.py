"""What people and API clients can do, once for the API, the pages and the commands alike."""
