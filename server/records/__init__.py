"""What is kept of every session: seen in gateways, written into the database."""
