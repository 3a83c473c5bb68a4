"""Peers: other services by name, and the world outside, over requests.

Other extensions use what is named here and nothing else of this folder.
"""

from __future__ import annotations

from buttress.peers.address import UnknownPeer
from buttress.peers.extension import Peers, PeersExtension
from buttress.peers.failure import PeerError, PeerTimeout, PeerUnavailable
from buttress.peers.guarded import AddressRefused
from buttress.peers.peer import External, Peer
from buttress.peers.settings import PeersSettings

__all__ = [
    # the extension
    "External",
    "Peer",
    "Peers",
    "PeersExtension",
    "PeersSettings",
    # what calls raise
    "AddressRefused",
    "PeerError",
    "PeerTimeout",
    "PeerUnavailable",
    "UnknownPeer",
]
