"""Recordings of sessions: both sides on one timeline, in files."""
