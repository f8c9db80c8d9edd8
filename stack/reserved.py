"""Ports that a supervisor holds before its servers listen there: two that start at once take different ones."""

import errno
import socket

_held: dict[int, int] = {}
"""The open file that holds each port of this process: a bare one, which only the kernel closes, at the process' end."""


def reserve(port: int) -> bool:
    """Hold a port until the process ends; tell whether no other supervisor on this machine holds it.

    By a name in Linux's abstract namespace of Unix sockets, which is no file: it needs no folder that somebody else
    could have made first, goes with the process, and reaches as far as the port itself (a network namespace).
    """
    if port in _held:
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0foretick-port-{port}")
    except OSError as error:
        name.close()
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    _held[port] = name.detach()
    return True
