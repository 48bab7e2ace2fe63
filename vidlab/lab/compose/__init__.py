"""The lab in containers: its compose file, and the words that drive it through `docker compose`."""
