"""Recordings that programs send, and what is said in them."""
