"""Every error that VidLab raises on purpose: a sentence for people, and the facts as attributes.

The first paragraph of a class's docstring is its message, with the facts filled in; ``hint`` says what to do next.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar


class VidLabError(Exception):
    """Something in VidLab went wrong: {why}"""

    #: What a person can do about it; the facts are filled in here too.
    hint: ClassVar[str] = ""
    #: The HTTP status that the API answers with.
    http_status: ClassVar[int] = 500

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        doc = inspect.cleandoc(type(self).__doc__ or "").split("\n\n")[0].replace("\n", " ")
        super().__init__(doc.format(**facts))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.facts))

    @property
    def advice(self) -> str:
        """The hint with the facts filled in."""
        return self.hint.format(**self.facts)


def _rebuild(kind: type[VidLabError], facts: dict[str, Any]) -> VidLabError:
    return kind(**facts)


# -- What a task may end with ---------------------------------------------------------------------------------------


class PermanentError(VidLabError):
    """{why}

    Trying again cannot help: the video fails at this stage with this reason.
    """


class DependencyAway(VidLabError):
    """{name} does not answer: {why}

    The work certainly was not finished; it waits and is tried again without using up an attempt.
    """

    http_status = 503
    hint = "Try again in a few seconds; `vidlab status` and `vidlab logs {name}` show what became of it."


class LeaseLost(VidLabError):
    """{process} no longer holds the lease of {stage} of video {video_hash}: what it made is not published."""


class FencedOff(LeaseLost):
    """A later attempt has already written {path}: what was made here is not published."""


class HandedBack(VidLabError):
    """{stage} of video {video_hash} was handed back, because the lab goes down."""


class BlobGone(VidLabError):
    """{path} is not in blob storage, or no longer with the same bytes."""

    http_status = 404


class StorageRefused(VidLabError):
    """Blob storage does not do what was asked with {path}: {why}"""


# -- Media ----------------------------------------------------------------------------------------------------------


class NotAVideo(PermanentError):
    """The file is not a video that can be read: {why}."""

    hint = "Send another file, or repair this one: ffmpeg -i FILE -c copy repaired.mp4"


class Infected(PermanentError):
    """The virus scanner found {signature} in the file."""

    http_status = 409
    hint = "The file is kept back and cannot be retried; send a clean one."


class TooDemanding(PermanentError):
    """The video asks for more than this lab allows: {why} ({setting})."""

    hint = "Raise {setting}, or send a smaller video."


class FFmpegFailed(VidLabError):
    """ffmpeg ended with exit code {code}: {why}"""


# -- The API --------------------------------------------------------------------------------------------------------


class UploadJustEnded(VidLabError):
    """The upload with this Idempotency-Key ended at this very moment: it failed, or was deleted."""

    http_status = 409
    hint = "Send the chunk again: the key is free, and a new upload begins."


class NotThere(VidLabError):
    """After {seconds} s of waiting for {what} it is still not so."""

    hint = "It goes on without you: `vidlab status` shows what runs, and a longer time-out waits longer."


class StageNotThere(NotThere):
    """After {seconds} s of waiting for {what} it is {seen}."""


class StageOver(NotThere):
    """{what} is waited for in vain: it is {seen}, and the video {end}."""

    hint = "`vidlab video {video_hash}` shows what became of it."


class UnknownClip(VidLabError):
    """There is no clip {name}, and no such file."""

    http_status = 404
    hint = "`python -m vidlab.clips --list` shows the clips; `sample` is some seconds of film."


class UnknownVideo(VidLabError):
    """There is no video {video_hash}."""

    http_status = 404
    hint = "`vidlab videos` lists those that there are."


class NoSuchMedia(VidLabError):
    """There is nothing to play at {path}."""

    http_status = 404
    hint = "Only completed videos are served: hls/master.m3u8, what it lists, and thumbnail.jpg."


class WrongState(VidLabError):
    """Video {video_hash} is {status}: {why}"""

    http_status = 409


class ChunksMissing(VidLabError):
    """The upload of {video_hash} is not complete: of {total} chunks, counted from 0, these are missing: {missing}."""

    http_status = 409
    hint = "Send them, then finalize again; GET /videos/{video_hash}/upload tells what is there."


class BadChunk(VidLabError):
    """The chunk cannot be taken: {why}. Nothing was stored."""

    http_status = 422


class TooLarge(VidLabError):
    """{what} is too large: {size} bytes, and at most {limit} are taken."""

    http_status = 413
    hint = "Send smaller chunks, or raise {setting} where the lab runs."


class NotEnded(VidLabError):
    """Video {video_hash} has not ended after {seconds} s: it is {status}."""

    hint = "`vidlab watch {video_hash}` shows what it waits for."


class OutOfSight(NotEnded):
    """Whether video {video_hash} has ended is not known after {seconds} s: {seen}, and {why}"""

    hint = "It goes on without you: `vidlab status` shows what became of the API."


class FileChanged(VidLabError):
    """{path} changed while it was sent: what arrived is neither the old file nor the new one."""

    hint = "Send it again; what was sent is forgotten by itself."


class ForeignPage(VidLabError):
    """The API does not take this request: {why}."""

    http_status = 403
    hint = "Pages of this machine may do everything, and those in VIDLAB_CORS_ORIGINS; others may only fetch media."


class TokenWanted(VidLabError):
    """The API wants its token, and {why}."""

    http_status = 401
    hint = "Set VIDLAB_API_TOKEN to it; in HTTP it goes into the header `Authorization: Bearer TOKEN`."


class TooManyRequests(VidLabError):
    """This address asked too often: nothing was done, and in {seconds} s the API may be asked again."""

    http_status = 429
    hint = "Wait; or raise VIDLAB_REQUESTS_PER_MINUTE, for media VIDLAB_MEDIA_REQUESTS_PER_MINUTE, where the lab runs."


class RangeNotSatisfiable(VidLabError):
    """The range asked for lies outside the file, which has {size} bytes."""

    http_status = 416


# -- The lab --------------------------------------------------------------------------------------------------------


class BadSetting(VidLabError):
    """{variable} cannot be {value!r}: {why}."""

    hint = "Correct it, or unset it."


class FolderGone(VidLabError):
    """The folder that you are in is no longer there."""

    hint = "Go to another one first."


class FolderUnusable(VidLabError):
    """{state} cannot be the folder of a lab: {why}."""

    hint = "Name another with --state or VIDLAB_STATE."


class LabNotRunning(VidLabError):
    """No lab is running in {state}."""

    hint = "Start one with: vidlab up"


class NoSupervisor(VidLabError):
    """From inside of a container the lab cannot be {what}."""

    hint = "On the host, in the project's folder, type: {command}"


class SupervisorSilent(VidLabError):
    """The lab in {state} runs, but its supervisor (process {pid}) has not answered within {seconds:.0f} s."""

    http_status = 503
    hint = "Was it stopped? kill -CONT {pid} lets it go on; vidlab down ends the lab and keeps its data."


class LabFailed(VidLabError):
    """{why}"""


class NotALab(VidLabError):
    """Process {pid} ({name}, user {user}) looks like a leftover of this lab, which it cannot be: nothing was ended."""

    hint = "Look why VIDLAB_LAB_ID stands in its environment; if it is yours, end it by hand."


class NotReady(VidLabError):
    """{name} did not get ready: {why}."""

    hint = "{advice}"


class UnknownProcess(VidLabError):
    """The lab has no process {name}."""

    http_status = 404
    hint = "`vidlab status` lists them; without a number a name means all of its kind."


class UnknownKind(UnknownProcess):
    """The lab has no kind of process that is called {name}."""

    hint = "`vidlab status` lists the processes; their kind is the name without the number, such as worker-360p."


class UnknownFault(VidLabError):
    """There is no fault {name}."""

    http_status = 404
    hint = "`vidlab fault` lists them."


class CannotDo(VidLabError):
    """{name} cannot be {done}: {why}."""

    http_status = 409
    hint = "`vidlab status` shows what each process does."


class BadCount(VidLabError):
    """There cannot be {count} of {kind}: {why}."""

    http_status = 422


class BadRequest(VidLabError):
    """The lab does not understand this request: {why}."""

    http_status = 422


class NotAllowed(VidLabError):
    """The lab does not take this request: {why}."""

    http_status = 403
    hint = "Its secret stands in the file `secret` of the state folder, and goes into the header X-VidLab-Secret."


class PartMissing(VidLabError):
    """{part} is missing: {why}"""

    hint = "{command}"


class NotebookGone(VidLabError):
    """There is no notebook {path}."""

    hint = "Name one that is there: vidlab lab FILE.ipynb. The project's own lie in its folder notebooks/."


class PartTooOld(VidLabError):
    """{part} is too old: it is {version}, and {minimum} is the oldest that will do."""

    hint = "{command}"


class CommandFailed(VidLabError):
    """The command did not end well: {command}: {why}"""

    hint = "Run it by itself to see more."
