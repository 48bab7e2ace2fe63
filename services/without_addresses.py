"""Takes out of npm's locks the addresses, which lock nothing: where a package asks for donations, or its licence is."""

import json
import sys
from pathlib import Path


def main() -> None:
    for name in sys.argv[1:]:
        without_addresses(Path(name))


def without_addresses(file: Path) -> None:
    lock = json.loads(file.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
        if "://" in package.get("license", ""):
            del package["license"]
    file.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
