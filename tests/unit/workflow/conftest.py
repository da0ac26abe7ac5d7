"""What the tests of the workflow share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo
    from tests.media import MediaFolder


@pytest.fixture
def info(media: MediaFolder) -> MediaInfo:
    """What a real clip of a second is."""
    return probe(media.make(), scan=True, max_streams=10)
