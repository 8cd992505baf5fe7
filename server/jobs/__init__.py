"""Work that is done later, or again: kept in PostgreSQL, done by the gateways."""
