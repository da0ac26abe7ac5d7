"""Settings of each ``--preset`` (data)."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "tiktok": {"video": {"size": "1080x1920", "fps": "auto"}, "audio": {"bitrate": "192k"}},
    "reels": {"video": {"size": "1080x1920", "fps": "auto"}, "audio": {"bitrate": "128k"}},
    "shorts": {"video": {"size": "1080x1920", "fps": "auto"}, "audio": {"bitrate": "384k"}},
    "youtube": {"video": {"size": "1920x1080", "fps": "auto"}, "audio": {"bitrate": "384k"}},
    "square": {"video": {"size": "1080x1080", "fps": "auto"}, "audio": {"bitrate": "192k"}},
}
"""Settings of each ``--preset``. The keys of the layer that names the preset win over them."""
PRESET_DESCRIPTION = f"Settings for a platform: {', '.join(PRESETS)}. Other keys of the same file win over it."
