"""`python -m pipeline …`: the commands of operators and admins, and the clock."""

from pipeline.cli import main

main()
