"""`python -m omnicrm_tui.cli`, for processes that start another one of ours."""

from omnicrm_tui.cli import main

main()
