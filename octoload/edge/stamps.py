"""When answers reached this machine, by the kernel's own clock: tells the generator's lateness from the server's."""

import contextlib
import socket
import struct
import sys
import time
from array import array
from typing import Any, Final

#: Receives a second that are stamped, and one more for each connection in a sweep: they cost some microseconds each.
RATE: Final = 500

# Linux' SO_TIMESTAMPNS of socket(7), which Python does not name; its message carries a struct timespec.
_OPTION: Final = 35
_TIMESPEC = struct.Struct("@ll")
_ROOM: Final = socket.CMSG_SPACE(_TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0
AVAILABLE: Final = sys.platform == "linux" and bool(_ROOM)


class Stamps:
    """Read delays of a sample of receives: from the kernel's stamp on the last packet to the moment it was read.

    A generator that is busy or has no CPU reads late, and would call the server slow for it.
    """

    def __init__(self) -> None:
        #: Seconds, one for each stamped receive.
        self.delays = array("f")
        #: How many more are wanted until the next sweep.
        self.left = 0

    def enable(self, connected: Any) -> bool:
        """Ask the kernel for stamps on a socket; return whether it gives them."""
        if AVAILABLE:
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.SOL_SOCKET, _OPTION, 1)
                return True
        return False

    def receive(self, connected: Any, buffer: bytearray) -> int:
        """Receive into a buffer and note how long the last packet has lain there.

        Raises:
            OSError: as `recv_into` does.
        """
        self.left -= 1
        count, messages, _, _ = connected.recvmsg_into([buffer], _ROOM)
        now = time.time()
        for level, kind, data in messages:
            if level == socket.SOL_SOCKET and kind == _OPTION and len(data) == _TIMESPEC.size:
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                self.delays.append(max(now - seconds - nanoseconds / 1e9, 0.0))
        received: int = count
        return received

    def take(self) -> "array[float]":
        """Return the delays and forget them."""
        taken, self.delays = self.delays, array("f")
        return taken
