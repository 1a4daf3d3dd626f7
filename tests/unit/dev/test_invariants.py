"""Which invariants are stated, and which tests hold them."""

from loci_dev.invariants import markers, stated_invariants


def test_invariants_are_the_numbered_list_under_their_heading() -> None:
    document = (
        "# Title\n\n1. not this\n\n## Invariants\n\n1. first,\n   continued\n2. second\n\n## Next\n\n3. nor this\n"
    )
    assert stated_invariants(document) == [1, 2]


def test_a_marker_counts_for_every_number_that_it_names() -> None:
    source = (
        "import pytest\n\n@pytest.mark.invariant(1, 5)\ndef test_one(): ...\n\n@pytest.mark.slow\ndef test_two(): ...\n"
    )
    assert list(markers(source)) == [1, 5]
