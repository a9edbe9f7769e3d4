import json
from pathlib import Path

import botocore

from esc_oidc.trust import PARTITIONS


def test_every_partition_is_known():
    """The list is that of AWS's own SDK."""
    read = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8"))
    assert sorted(PARTITIONS) == sorted(partition["id"] for partition in read["partitions"])
