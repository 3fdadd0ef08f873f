"""The page behind the link of a verification mail: a button, so that a mail scanner's look verifies nothing."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from omnicrm_tui.api.auth import CrmDep
from omnicrm_tui.api.reset_page import mailed_page
from omnicrm_tui.languages import catalogue_of

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<form><p><button>{button}</button></p></form>
<p id="told" role="status"></p>
<script nonce="{nonce}">
const form = document.querySelector("form"), told = document.getElementById("told");
form.addEventListener("submit", async (event) => {{
  event.preventDefault();
  const answer = await fetch("/crm/auth/verify_email", {{
    method: "POST",
    headers: {{"content-type": "application/json"}},
    body: JSON.stringify({{token: location.pathname.split("/").pop()}}),
  }});
  told.textContent = (await answer.json()).message;
  form.hidden = answer.ok;
}});
</script>
</body>
</html>
"""


@router.get("/verify-email/{token}")
def verify_page(crm: CrmDep) -> HTMLResponse:
    """Return the page; whether the code is good is told when it is used."""
    _ = catalogue_of(crm.settings.crm.language).gettext
    texts = {"title": _("Verify your e-mail address"), "button": _("Verify")}
    return mailed_page(crm.settings.crm.language, _PAGE, texts)
