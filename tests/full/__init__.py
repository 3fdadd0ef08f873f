"""Long proofs: what would make `make test` too slow, run by `make test-full` alone.

Every test here carries `@pytest.mark.full` (a module may say `pytestmark = pytest.mark.full`); the run stops at one
that does not, because `make test` would run it. The same rules as for other tests hold: no skips where they are
refused, a deadline instead of a sleep, a fixed seed wherever chance decides. A test may take 20 minutes, all of them
together 45 on two cores.
"""
