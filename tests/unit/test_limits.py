"""What Azure demands of block ids and uploads: Azurite is laxer, so that nothing else would tell."""

from __future__ import annotations

from typing import Any

import pytest

from vidlab.errors import BadSetting
from vidlab.settings import Settings
from vidlab.storage.chunks import _block_id

WEEK = 7 * 24 * 3600.0  # seconds; Azure drops uncommitted blocks then
MOST = 50_000  # blocks of one blob


def test_all_block_ids_of_a_blob_are_equally_long_and_differ() -> None:
    ids = [_block_id(chunk) for chunk in range(MOST)]
    assert {len(one) for one in ids} == {5}
    assert len(set(ids)) == MOST


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"max_chunks": MOST}, {"max_chunks": MOST + 1}),
        ({"upload_expiry_seconds": WEEK - 1}, {"upload_expiry_seconds": WEEK}),
    ],
)
def test_more_than_azure_takes_is_no_setting(good: dict[str, Any], bad: dict[str, Any]) -> None:
    Settings(**good)
    (name,) = bad
    with pytest.raises(BadSetting, match=f"VIDLAB_{name.upper()}"):
        Settings(**bad)


def test_an_upload_expires_long_before_azure_forgets_it() -> None:
    assert Settings().upload_expiry_seconds < WEEK
    assert Settings().max_chunks <= MOST
