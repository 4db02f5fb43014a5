"""The worker process: it turns queued hits into events on profiles, and runs the rare long jobs."""
