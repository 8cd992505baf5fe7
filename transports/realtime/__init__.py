"""The OpenAI Realtime protocol (GA), apart from the socket or data channel that carries it."""
