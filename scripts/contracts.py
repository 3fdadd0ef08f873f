"""The contract type behind `.importlinter`: which module may import which, said with patterns.

The built-in types want every module that they name to exist, and have no word for "another room". Here a
contract is a pattern for the importers, one for what they may not import, and one for what they may after all:

    importers: omnicrm_tui\\.(?P<room>ROOMS)\\..*
    forbidden: omnicrm_tui\\.(?!OWN\\b)(ROOMS)\\b.*

ROOMS stands for the names of all rooms, OWN for the room that the importer is in. Patterns match whole module
names. Imports are looked at one by one: chains need no look, because every link of a chain has its own contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grimp import ImportGraph
from importlinter.application import output
from importlinter.domain import fields
from importlinter.domain.contract import Contract, ContractCheck

ROOMS = (
    "identity|customers|catalog|inventory|customer_services|charging|provisioning|billing|messaging|broadcast"
    "|activity|search|reporting|upkeep|integrations"
)


class ArrowContract(Contract):
    """Modules that match `importers` import nothing that matches `forbidden`, except what matches `allowed`."""

    type_name = "arrow"

    importers = fields.StringField()
    forbidden = fields.StringField()
    allowed = fields.StringField(required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        broken = sorted(self._broken(graph))
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} imports {imported}")

    def _broken(self, graph: ImportGraph) -> Iterator[tuple[str, str]]:
        importers = self._pattern(self.importers)
        for importer in graph.modules:
            if not (found := importers.fullmatch(importer)):
                continue
            own = found.groupdict().get("room") or ""
            forbidden, allowed = self._pattern(self.forbidden, own), self._pattern(self.allowed or "", own)
            for imported in graph.find_modules_directly_imported_by(importer):
                if forbidden.fullmatch(imported) and not allowed.fullmatch(imported):
                    yield importer, imported

    @staticmethod
    def _pattern(text: object, own: str = "") -> re.Pattern[str]:
        return re.compile(str(text).replace("ROOMS", ROOMS).replace("OWN", re.escape(own)))
