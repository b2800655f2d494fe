"""How tokens are estimated today, each as its own source says. `None` where it has no answer."""

import json
import math

# google-gemini/gemini-cli, packages/core/src/utils/tokenCalculation.ts at commit 04fbf507 (2026):
# so many for any image and any PDF, else a quarter of the length of the part's JSON. It is what the
# program falls back to where the service's own countTokens is not asked or does not answer.
GEMINI_CLI_IMAGE = 3000
GEMINI_CLI_PDF = 25_800
FILE_ADDRESS = "https://generativelanguage.googleapis.com/v1beta/files/abcdefghijkl"

# The tile of the widespread snippet.
TILE, TILE_TOKENS = 768, 258


def gemini_cli(case):
    """The constants of gemini-cli; of sounds and videos the length of what is sent."""
    counts = [gemini_cli_item(item) for item in case.items]
    return None if None in counts else math.floor(sum(counts))


def gemini_cli_item(item):
    if item.kind == "image":
        return GEMINI_CLI_IMAGE
    if item.kind == "document":
        return GEMINI_CLI_PDF
    mime_type = item.mime_type or "video/mp4"
    if item.route != "inline":
        data = {"fileData": {"mimeType": mime_type, "fileUri": FILE_ADDRESS}}
    elif item.path is None:
        return None
    else:
        # The length is the same whatever the characters are.
        encoded = "A" * (-(-item.path.stat().st_size // 3) * 4)
        data = {"inlineData": {"mimeType": mime_type, "data": encoded}}
    return len(json.dumps(data, separators=(",", ":"))) / 4


def tile_snippet(case):
    """`ceil(w / 768) * ceil(h / 768) * 258`, as it stands in many programs; images alone."""
    if any(item.kind != "image" for item in case.items):
        return None
    tiles = (
        math.ceil(item.facts["width"] / TILE) * math.ceil(item.facts["height"] / TILE)
        for item in case.items
    )
    return TILE_TOKENS * sum(tiles)
