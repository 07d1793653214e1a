"""The contract as others judge it: Redocly and Spectral, with OWASP's rules for APIs."""

from pathlib import Path

from tools import node


def lint(bundle: Path) -> list[str]:
    """What they find in a bundle; each finding is an error. Raises NodeError."""
    folder = node.install()
    findings = []
    words = ("lint", bundle, "--config", folder / "redocly.yaml", "--format", "stylish")
    redocly = node.run("redocly", *words)
    if redocly.returncode:
        findings.append(f"Redocly: {(redocly.stdout or redocly.stderr).strip()}")
    ruleset = folder / "spectral.yaml"
    words = ("lint", bundle, "--ruleset", ruleset, "--fail-severity", "hint")
    spectral = node.run("spectral", *words, "--format", "text")
    if spectral.returncode:
        findings.append(f"Spectral: {(spectral.stdout or spectral.stderr).strip()}")
    return findings
