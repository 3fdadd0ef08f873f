"""A plug-in for pytest: texts are bound while they are imported, so French needs a process of its own."""

from __future__ import annotations

from omnicrm_tui import languages

languages.speak("fr")
