"""The deployment guide that Weir is built for, which lies beside the checkout: its values files."""

import re

import yaml
from places import SHARED

FOLDER = SHARED / "guide"
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
# The comment that the block begins with.
FILES = {"homelab": "# apps/litellm/values.yaml", "aws": "# values-aws.yaml"}


def text():
    return "".join(path.read_text() for path in sorted(FOLDER.glob("000_*.txt"))) if FOLDER.is_dir() else ""


def values_files():
    """{} without the guide."""
    blocks = BLOCK.findall(text())
    found = {name: [b for b in blocks if b.startswith(head)] for name, head in FILES.items()}
    return {name: yaml.safe_load(some[0]) for name, some in found.items() if some}


def secret():
    """What step 1 writes into secrets.yaml; "" without the guide."""
    here = r"^cat > apps/litellm/secrets/secrets\.yaml << 'EOF'\n(.*?)^EOF$"
    found = re.search(here, text(), re.MULTILINE | re.DOTALL)
    return found[1] if found else ""
