"""`omnicrm demo`: an empty home becomes a demo."""

from __future__ import annotations

from gettext import gettext as _

import click

from omnicrm_tui.config_file import load_settings


@click.command()
@click.option("--customers", type=click.IntRange(0, 1_000_000), default=2000, show_default=True, metavar="N")
def demo(customers: int) -> None:
    """Fill an empty home with demo data, the same every time, and say how to log in."""
    settings = load_settings()
    if settings.demo:
        raise click.ClickException(
            _("{home} is a demo already. Delete it, or choose another OMNICRM_HOME.").format(home=settings.home)
        )
    from omnicrm_tui.demo.build import make_demo
    from omnicrm_tui.demo.catalogue import EMAIL, PASSWORD

    counts = make_demo(settings, customers)
    click.echo(
        _("{home} is a demo with {counts}.").format(
            home=settings.home, counts=", ".join(f"{count:,} {name}" for name, count in counts.items())
        )
    )
    click.echo(_("Log in as {email} with the password {password}").format(email=EMAIL, password=PASSWORD))
