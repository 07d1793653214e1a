"""Clients made from the contract: `python -m tools.sdk` writes them and checks their types.

- build/sdk/python: the package `marquee_client`, by OpenAPI Generator, which needs Java.
- build/sdk/typescript: the package `marquee-client`, by Hey API, compiled to JavaScript.

The generators' versions: openapi-generator-cli in constraints.txt, @hey-api/openapi-ts in
tools/npm/package.json.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from marquee import __version__
from tools import node
from tools.contract.bundle import write_bundle
from tools.node import NodeError

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / "build/sdk/python"
TYPESCRIPT = ROOT / "build/sdk/typescript"
PACKAGE = "marquee_client"
OLDEST_JAVA = 11

TSCONFIG = {
    "compilerOptions": {
        "target": "es2022",
        "lib": ["es2022", "dom", "dom.iterable"],
        "module": "node16",
        "strict": True,
        "declaration": True,
        "rootDir": "src",
        "outDir": "dist",
        "types": [],
    },
    "include": ["src"],
}
MANIFEST = {
    "name": "marquee-client",
    "version": __version__,
    "license": "Apache-2.0",
    "exports": {".": "./dist/index.js", "./client": "./dist/client.gen.js"},
}


class SdkError(Exception):
    """A client could not be made, or its types do not hold. The message is for people."""


def generate_python(bundle: Path) -> None:
    """Write the Python client, and check its types with mypy. Raises SdkError."""
    require_java()
    shutil.rmtree(PYTHON, ignore_errors=True)
    properties = {
        "packageName": PACKAGE,
        "projectName": "marquee-client",
        "packageVersion": __version__,
        "library": "urllib3",
    }
    options = ",".join(f"{name}={value}" for name, value in properties.items())
    generator = Path(sys.executable).with_name("openapi-generator-cli")
    words = ("generate", "--generator-name", "python", "--additional-properties", options)
    _run(generator, *words, "--input-spec", bundle, "--output", PYTHON)
    mypy = ["-m", "mypy", "--config-file", "", "--package", PACKAGE]
    _run(sys.executable, *mypy, "--cache-dir", ROOT / "build/mypy", cwd=PYTHON)


def generate_typescript(bundle: Path) -> None:
    """Write the TypeScript client and compile it, strictly. Raises SdkError, NodeError."""
    shutil.rmtree(TYPESCRIPT, ignore_errors=True)
    TYPESCRIPT.mkdir(parents=True)
    (TYPESCRIPT / "tsconfig.json").write_text(json.dumps(TSCONFIG, indent=2))
    (TYPESCRIPT / "package.json").write_text(json.dumps(MANIFEST, indent=2))
    client = ("--client", "@hey-api/client-fetch")
    _node("openapi-ts", "--input", bundle, "--output", TYPESCRIPT / "src", *client)
    _node("tsc", "--project", TYPESCRIPT)


def require_java() -> None:
    """Raise SdkError, with one clear line, unless there is a Java that will do."""
    needed = (
        f"The Python client's generator needs Java {OLDEST_JAVA} or newer (only `make sdk` does)"
    )
    java = shutil.which("java")
    if java is None:
        raise SdkError(f"{needed}, and there is no `java` here.")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise SdkError(f"{needed}, and `java -version` says: {told.strip().splitlines()[:1]}")


def _node(program: str, *words: str | Path) -> None:
    done = node.run(program, *words)
    if done.returncode:
        raise SdkError(f"{program} failed:\n{done.stdout}{done.stderr}")


def _run(*command: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        name = Path(command[0]).name
        raise SdkError(f"{name} failed:\n{done.stdout}{done.stderr}")


def main() -> int:
    """Make both clients; the exit status."""
    bundle = write_bundle()
    try:
        generate_python(bundle)
        print(f"The Python client is in {PYTHON}")
        generate_typescript(bundle)
        print(f"The TypeScript client is in {TYPESCRIPT}")
    except (SdkError, NodeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
