"""A pretend network on loopback to run against: an OCS, an HSS, an SMSC and a mail sink.

`network.LabNetwork` runs it. `store` reads what it received and sets its switches with nothing but the
state folder, and imports no web framework.
"""
