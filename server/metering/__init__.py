"""What is used: counted in gateways, added up by the supervisor, written into the database."""
