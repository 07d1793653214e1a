"""The generated TypeScript client, against a running server: `drive.ts` in Node, as a package that
uses it.
"""

import json
import shutil
import subprocess
from pathlib import Path

from tools import node
from tools.sdk import TYPESCRIPT

DRIVE = Path(__file__).with_name("drive.ts")
TSCONFIG = {
    "compilerOptions": {
        "target": "es2022",
        "lib": ["es2022", "dom", "dom.iterable"],
        "module": "node16",
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "types": [],
    },
    "files": [DRIVE.name],
}


def test_client(server: str, tmp_path: Path) -> None:
    assert (TYPESCRIPT / "dist/index.js").is_file(), "run `make sdk` first"
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/marquee-client").symlink_to(TYPESCRIPT)
    (tmp_path / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    shutil.copy(DRIVE, tmp_path)
    compiled = node.run("tsc", "--project", tmp_path)
    assert compiled.returncode == 0, compiled.stdout
    command = ["node", str(tmp_path / "drive.js"), server]
    driven = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (driven.returncode, driven.stdout) == (0, "driven\n"), driven.stderr
