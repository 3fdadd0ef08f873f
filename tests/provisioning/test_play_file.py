"""Plays are found by name alone, and their tasks counted as they will run."""

from __future__ import annotations

from pathlib import Path

import pytest

from omnicrm_tui.provisioning.play_file import PlayNotFound, PlaySyntax, find_play, play_names, read_play, search_path
from omnicrm_tui.provisioning.play_lint import lint_play

PLAY = """\
- name: Two halves
  hosts: localhost
  tasks:
    - name: Load
      include_vars: ../../crm_config.yaml
    - block:
        - name: One
          debug: msg=1
        - import_tasks: task_shared.yaml
        - name: Included
          include_tasks: task_shared.yaml
      rescue:
        - import_tasks: task_shared.yaml
        - name: Undo
          debug: msg=2
        - name: Inner
          block:
            - name: In rescue too
              debug: msg=3
          always:
            - name: Always in rescue
              debug: msg=4
      always:
        - name: At the end
          debug: msg=5
"""


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    folder = tmp_path / "plays"
    folder.mkdir()
    (folder / "play_own.yaml").write_text(PLAY)
    (folder / "task_shared.yaml").write_text("- name: Shared\n  debug: msg=shared\n")
    return folder


@pytest.mark.req("SVC-019", "SVC-022", "CAT-109", "CAT-112")
def test_tasks_are_counted_in_order_and_by_section(plays: Path) -> None:
    play = read_play(plays / "play_own.yaml")
    assert play.description == "Two halves"
    assert [(task.name, task.phase) for task in play.tasks] == [
        *(("Load", "main"), ("One", "main"), ("Shared", "main"), ("Included", "main"), ("Shared", "main")),
        *(("Shared", "rescue"), ("Undo", "rescue"), ("In rescue too", "rescue"), ("Always in rescue", "rescue")),
        ("At the end", "main"),
    ]
    assert (play.task_count, play.rescue_count) == (6, 4)


def test_the_section_of_a_task_is_known_by_file_and_line(plays: Path) -> None:
    play = read_play(plays / "play_own.yaml")
    assert play.phase_of("play_own.yaml", 7) == "main"
    assert play.phase_of("play_own.yaml", 14) == "rescue"
    assert play.phase_of("task_shared.yaml", 1) is None
    assert play.phase_of("play_own.yaml", 1) is None


@pytest.mark.req("SVC-050", "CAT-099")
def test_the_operators_play_comes_before_ours(tmp_path: Path, plays: Path) -> None:
    home = tmp_path
    (plays / "play_psim_only.yaml").write_text(PLAY)
    folders = search_path(home)
    assert find_play("play_psim_only", folders) == plays / "play_psim_only.yaml"
    assert find_play("play_psim_only.yaml", folders) == plays / "play_psim_only.yaml"
    assert find_play("play_simple_service", folders).parent != plays
    names = play_names(folders)
    assert names == sorted(set(names)), "each name once, although two folders have it"
    assert {"play_own", "play_psim_only", "play_simple_service"} <= set(names)


@pytest.mark.parametrize("name", ["../play_own", "/etc/passwd", "a/b", "", ".hidden", "..", "play\x00", "x" * 300])
def test_a_name_leads_nowhere_else(plays: Path, name: str) -> None:
    with pytest.raises(PlayNotFound):
        find_play(name, [plays / "sub", plays])


@pytest.mark.req("SVC-125")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- name: x\n  hosts: [a\n  tasks: b\n", 3),
        ("- name: x\n\thosts: a\n", 2),
        ("name: not a list\n", 1),
        ("- name: x\n- just text\n", 2),
        ("", 1),
    ],
)
def test_what_is_wrong_is_told_with_its_line(plays: Path, text: str, line: int) -> None:
    (plays / "play_bad.yaml").write_text(text)
    with pytest.raises(PlaySyntax) as caught:
        read_play(plays / "play_bad.yaml")
    assert caught.value.line == line
    assert "play_bad.yaml" in caught.value.message


def test_a_task_file_that_names_itself_ends(plays: Path) -> None:
    (plays / "task_shared.yaml").write_text("- import_tasks: task_shared.yaml\n")
    assert read_play(plays / "play_own.yaml").task_count < 10


@pytest.mark.req("SVC-131", "SVC-132", "SVC-133", "SVC-134", "SVC-137", "SVC-138", "CAT-447", "CAT-448")
def test_the_linter_names_what_authors_forgot(plays: Path) -> None:
    (plays / "play_bad.yaml").write_text(
        """\
- hosts: all
  tasks:
    - uri: {url: "http://ocs/jsonrpc", method: POST}
      ignore_errors: yes
    - assert: {that: x, fail_msg: "no"}
"""
    )
    found = {finding.rule for finding in lint_play(plays / "play_bad.yaml")}
    assert found == {"CAT-447", "CAT-448", "SVC-131", "SVC-132", "SVC-133", "SVC-134", "SVC-137", "SVC-138"}
    assert {finding.line for finding in lint_play(plays / "play_bad.yaml") if finding.rule == "SVC-132"} == {3}


@pytest.mark.req("SVC-090")
def test_the_linter_wants_the_final_assertion(plays: Path) -> None:
    assert "SVC-090" in {finding.rule for finding in lint_play(plays / "play_own.yaml")}
