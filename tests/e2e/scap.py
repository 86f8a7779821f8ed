# SPDX-License-Identifier: Apache-2.0
"""Capture files made by hand, for the scripts beside this one."""
import struct

SECTION, MACHINE = 0x0A0D0D0A, 0x201
EVENT, EVENT_FLAGS, LARGE, LARGE_FLAGS, OLD = 0x216, 0x217, 0x221, 0x222, 0x204
NONE = 2**64 - 1


def block(kind, body):
    n = 8 + (len(body) + 3) // 4 * 4 + 4
    return struct.pack("<II", kind, n) + body + b"\0" * (-len(body) % 4) + struct.pack("<I", n)


def section(magic=0x1A2B3C4D, major=1, minor=2):
    return block(SECTION, struct.pack("<IHHQ", magic, major, minor, NONE))


def event(ts, kind, params, width=4):
    lengths = b"".join(struct.pack("<I" if width == 4 else "<H", len(p)) for p in params)
    data = lengths + b"".join(params)
    return struct.pack("<QQIHI", ts, NONE, 26 + len(data), kind, len(params)) + data


def plugin_event(ts, plugin, payload):
    return event(ts, 322, [struct.pack("<I", plugin), payload])


def async_event(ts, plugin, name, data=b""):
    return event(ts, 402, [struct.pack("<I", plugin), name + b"\0", data])


def large(e):
    return block(LARGE, struct.pack("<H", 0) + e)


def state(e):
    return block(LARGE_FLAGS, struct.pack("<HI", 0, 1) + e)


def small(e):
    return block(EVENT, struct.pack("<H", 0) + e)
