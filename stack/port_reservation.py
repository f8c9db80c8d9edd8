"""Reserves ports before the servers listen, so that two supervisors starting at once take different ones."""

import errno
import socket

_held: dict[int, int] = {}
"""The file descriptor that reserves each port: raw, so that only the kernel closes it, at the process's end."""


def reserve(port: int) -> bool:
    """Reserve a port until the process ends; return false if another supervisor on this machine has it.

    By a name in Linux's abstract namespace of Unix sockets, which is no file: it needs no folder that another user
    could have created first, ends with the process, and has the scope of the port itself (a network namespace).
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
