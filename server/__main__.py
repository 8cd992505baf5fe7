"""`python -m server` is the `voiceforge` program."""

from server.cli import main

main()
