"""The end of the API's process: nothing is closed under a question that is still asked."""

from __future__ import annotations

import asyncio
import threading
from unittest.mock import Mock

from vidlab.api.app import create_app
from vidlab.settings import Settings


def test_the_store_is_closed_after_the_last_question_has_its_answer() -> None:
    store = Mock()
    asked, answered = threading.Event(), threading.Event()
    closed_after = []
    store.close.side_effect = lambda: closed_after.append(answered.is_set())

    def question() -> None:
        asked.set()
        threading.Event().wait(0.2)
        answered.set()

    async def life() -> None:
        app = create_app(Settings(), Mock(), store)
        async with app.router.lifespan_context(app):
            asking = asyncio.create_task(asyncio.to_thread(question))
            await asyncio.to_thread(asked.wait)
            asking.cancel()  # as for a page that has left: the thread goes on

    asyncio.run(life())
    assert closed_after == [True]
