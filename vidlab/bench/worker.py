"""A worker whose stages are stand-ins: `python -m vidlab.bench.worker 360p azurite`."""

from __future__ import annotations

import sys

from vidlab.bench.stand_ins import CountedShop, stand_ins
from vidlab.lab.ready import announce
from vidlab.logs import set_up_logs
from vidlab.pipeline.worker import make_worker
from vidlab.profiles import stages
from vidlab.settings import Settings


def main(name: str, storage: str) -> None:
    settings = Settings()
    set_up_logs(settings.process)
    stage = {stage.name: stage for stage in stages()}[name]
    shop = CountedShop(settings)
    make_worker(stage, shop, lambda text: announce(settings, text), stand_ins(shop, storage == "azurite")).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
