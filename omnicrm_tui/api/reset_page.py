"""The page behind the link of a reset mail: a new password, twice (PLT-202). It needs nothing from elsewhere."""

from __future__ import annotations

import json
import secrets
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from omnicrm_tui.api.auth import CrmDep
from omnicrm_tui.languages import catalogue_of

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<form>
<p><label>{new} <input type="password" id="new" autocomplete="new-password" required></label></p>
<p><label>{again} <input type="password" id="again" autocomplete="new-password" required></label></p>
<p><button>{button}</button></p>
</form>
<p id="told" role="status"></p>
<script nonce="{nonce}">
const form = document.querySelector("form"), told = document.getElementById("told");
form.addEventListener("submit", async (event) => {{
  event.preventDefault();
  const password = document.getElementById("new").value;
  if (password !== document.getElementById("again").value) {{ told.textContent = form.dataset.differ; return; }}
  const answer = await fetch("/crm/auth/reset_password", {{
    method: "POST",
    headers: {{"content-type": "application/json"}},
    body: JSON.stringify({{token: location.pathname.split("/").pop(), new_password: password}}),
  }});
  const body = await answer.json();
  told.textContent = [body.message, ...Object.values(body.errors || {{}})].join(" ");
  form.hidden = answer.ok;
}});
form.dataset.differ = {differ};
</script>
</body>
</html>
"""


@router.get("/reset-password/{token}")
def reset_page(crm: CrmDep) -> HTMLResponse:
    """Return the page; whether the code is good is told when it is used."""
    _ = catalogue_of(crm.settings.crm.language).gettext
    texts = {
        "title": _("A new password"),
        "new": _("New password"),
        "again": _("New password again"),
        "button": _("Reset password"),
    }
    differ = _in_script(_("The two do not agree."))
    return mailed_page(crm.settings.crm.language, _PAGE, texts, differ=differ)


def mailed_page(language: str, template: str, texts: dict[str, str], **scripted: str) -> HTMLResponse:
    """Return the page that a mail's link opens: `texts` are shown in it, `scripted` stand in its script."""
    nonce = secrets.token_urlsafe(16)
    shown = {name: escape(text) for name, text in texts.items()}
    page = template.format(language=escape(language), nonce=nonce, **shown, **scripted)
    # The address holds the code: it goes to nobody else, and stays in no cache.
    headers = {
        "content-security-policy": f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return HTMLResponse(page, headers=headers)


def _in_script(text: str) -> str:
    """Return `text` as a string of JavaScript that ends no script."""
    return json.dumps(text).replace("<", "\\u003c")
