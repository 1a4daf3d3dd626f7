"""No service is started by installing a package for its program."""

from pathlib import Path

from loci_dev.tools.debian import _FORBID, no_services


def test_services_are_forbidden_for_the_length_of_an_installation(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with no_services(policy):
        assert policy.read_text() == _FORBID
        assert policy.stat().st_mode & 0o111
    assert not policy.exists()


def test_the_machine_s_own_policy_stays(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    with no_services(policy):
        pass
    assert policy.read_text() == "#!/bin/sh\nexit 101\n"


def test_the_policy_that_a_killed_installation_left_goes(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text(_FORBID)
    with no_services(policy):
        pass
    assert not policy.exists()
