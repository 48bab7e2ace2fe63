"""What must be there before the others work: tables, topics, container. It can run again at any time, and exits."""

from vidlab.logs import set_up_logs
from vidlab.settings import Settings
from vidlab.topology import prepare


def main() -> None:
    settings = Settings()
    set_up_logs(settings.process)
    prepare(settings)


if __name__ == "__main__":
    main()
