"""The peer, pipecat-ai 1.14, set up as its documentation advises; runs in `.venv-peers`."""
