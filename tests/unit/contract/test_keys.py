"""API keys: recognisable without a look-up, never guessable, never stored."""

import pytest

from loci_contract import keys


def test_a_generated_key_is_well_formed_and_names_its_tenant() -> None:
    key = keys.generate("acme-corp")
    assert key.startswith("sk-acme-corp-")
    assert keys.is_well_formed(key)


def test_two_keys_of_a_tenant_differ() -> None:
    assert keys.generate("acme") != keys.generate("acme")


@pytest.mark.parametrize("position", [3, 10, 20, -1])
def test_a_typing_error_is_refused_without_a_look_up(position: int) -> None:
    key = keys.generate("acme")
    wrong = "x" if key[position] != "x" else "y"
    broken = key[:position] + wrong + (key[position + 1 :] if position != -1 else "")
    assert not keys.is_well_formed(broken)


@pytest.mark.parametrize(
    "text", ["", "sk-", "sk-acme-", "sk-acme-short", "Bearer x", "sk-ACME-" + "0" * 39, "\x00" * 48]
)
def test_a_foreign_string_is_refused(text: str) -> None:
    assert not keys.is_well_formed(text)


def test_the_public_id_does_not_reveal_the_key() -> None:
    key = keys.generate("acme")
    public = keys.key_id(keys.sha256(key))
    assert public.startswith("key_")
    assert public.removeprefix("key_") not in key
