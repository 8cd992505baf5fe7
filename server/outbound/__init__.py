"""How this server calls other people's servers: agents' tools, webhooks."""
