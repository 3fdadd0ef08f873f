"""OmniCRM TUI: a telecom operator's BSS/OSS desk in a terminal."""

__version__ = "0.1.0"
