"""Agents at work: what answers, and the tools that it has here."""
