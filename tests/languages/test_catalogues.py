"""The catalogues hold what the code says, and French says all of it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo

from omnicrm_tui.languages import ENGLISH, NAMES
from scripts import texts
from tests.languages.test_texts import places

LANGUAGES = [language for language in NAMES if language != ENGLISH]
RUN = "run `make texts`, then give the new texts their words"


def identities(catalog: Catalog) -> set[tuple[object, str | None]]:
    return {(message.id, message.context) for message in catalog if message.id}


def said(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (str(message.string or ""),)


def asked(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (str(message.id),)


@pytest.fixture(scope="module")
def template() -> Catalog:
    return texts.gathered()


def test_the_template_holds_every_text_of_the_code_and_no_other(template: Catalog) -> None:
    kept = texts.read_catalogue(texts.template_path())
    assert identities(template) - identities(kept) == set(), f"new texts: {RUN}"
    assert identities(kept) - identities(template) == set(), f"texts that nothing says any more: {RUN}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_complete(template: Catalog, language: str) -> None:
    catalog = texts.read_catalogue(texts.catalogue_path(language), language)
    assert identities(template) == identities(catalog), RUN
    assert texts.untranslated(catalog) == [], "these have no words yet"
    assert [message.id for message in catalog if message.fuzzy and message.id] == []


@pytest.mark.req("PLT-483")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_places_lines_and_edges(language: str) -> None:
    catalog = texts.read_catalogue(texts.catalogue_path(language), language)
    for message in catalog:
        for text in said(message) if message.id else ():
            english = asked(message)[-1]
            # A singular may say "a job" where the plural counts.
            assert places(text) in [places(form) for form in asked(message)], english
            assert (text[:1].isspace(), text[-1:].isspace()) == (english[:1].isspace(), english[-1:].isspace()), english
            assert bool("\n" in text) == bool("\n" in english), english


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_as_many_forms_as_the_language(language: str) -> None:
    catalog = texts.read_catalogue(texts.catalogue_path(language), language)
    plurals = [message for message in catalog if isinstance(message.id, tuple) and message.id]
    assert plurals
    assert {len(said(message)) for message in plurals} == {catalog.num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shipped_is_what_is_written(language: str) -> None:
    path = texts.catalogue_path(language)
    made = BytesIO()
    write_mo(made, texts.read_catalogue(path, language))
    assert path.with_suffix(".mo").read_bytes() == made.getvalue(), RUN


def test_a_new_text_is_gathered_and_left_visibly_untranslated(tmp_path: Path) -> None:
    module = tmp_path / "new.py"
    module.write_text(
        '@click.command()\ndef go():\n    """Go there."""\n'
        'a = _("Once" if x else "Twice"), ngettext("{n} day", "{n} days", 2), N_("Open")\n'
        'work.activity.record("site", 1, "Site moved")\n'
        'click.option("--far", help="How far.")\n'
    )
    found = {(text.text, text.plural, text.context) for text in texts.texts_of(module)}
    assert found == {
        ("Go there.", "", ""),
        ("Once", "", ""),
        ("Twice", "", ""),
        ("{n} day", "{n} days", ""),
        ("Open", "", "stored"),
        ("Site moved", "", "stored"),
        ("How far.", "", ""),
    }
    template = Catalog()
    template.add("Never said before")
    assert texts.untranslated(texts.updated(template, LANGUAGES[0])) == ["Never said before"]


def test_the_catalogues_are_the_same_from_the_same_code(template: Catalog) -> None:
    made = BytesIO()
    again = texts.updated(template, LANGUAGES[0])
    texts.write_po(made, again, width=110, sort_output=True, include_lineno=False)
    assert texts.catalogue_path(LANGUAGES[0]).read_bytes() == made.getvalue(), RUN


def test_binary_catalogues_are_read_back() -> None:
    with texts.catalogue_path(LANGUAGES[0]).with_suffix(".mo").open("rb") as file:
        assert len(read_mo(file)) > 1000
