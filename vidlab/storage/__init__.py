"""Blob storage: all that talks to it stands in this package. It is coded to Azure's rules where Azurite is laxer."""

from vidlab.storage.account import Blob
from vidlab.storage.facade import Storage
from vidlab.storage.reading import Opened, Reader

__all__ = ["Blob", "Opened", "Reader", "Storage"]
