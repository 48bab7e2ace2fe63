"""What changes, told as it changes: `/live` for all videos and the lab, `/videos/{hash}/live` for one."""

from vidlab.api.live.sockets import router as router
from vidlab.api.live.watcher import Watcher as Watcher
