/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of the built-in tables: TABLE(id, key) opens a table, FIELD(name, type,
 * read-only) adds to it, SUB(name, id) is a sub-table of another kind. Names and types
 * are Falco's.
 */
/* clang-format off */
TABLE(THREADS, INT64)
FIELD("tid", INT64, 0) FIELD("pid", INT64, 0) FIELD("ptid", INT64, 0)
FIELD("reaper_tid", INT64, 0) FIELD("sid", INT64, 0) FIELD("vtid", INT64, 0)
FIELD("vpid", INT64, 0) FIELD("vpgid", INT64, 0) FIELD("pgid", INT64, 0)
FIELD("comm", STRING, 0) FIELD("exe", STRING, 0) FIELD("exe_path", STRING, 0)
FIELD("root", STRING, 0) FIELD("cwd", STRING, 1)
FIELD("exe_writable", BOOL, 0) FIELD("exe_upper_layer", BOOL, 0)
FIELD("exe_lower_layer", BOOL, 0) FIELD("exe_from_memfd", BOOL, 0)
FIELD("flags", UINT32, 0) FIELD("uid", UINT32, 0) FIELD("gid", UINT32, 0)
FIELD("loginuid", UINT32, 0) FIELD("tty", UINT32, 0) FIELD("fd_limit", INT64, 0)
FIELD("exe_ino", UINT64, 0) FIELD("exe_ino_ctime", UINT64, 0)
FIELD("exe_ino_mtime", UINT64, 0) FIELD("pidns_init_start_ts", UINT64, 0)
SUB("args", ARGS) SUB("env", ENV) SUB("cgroups", CGROUPS)
SUB("file_descriptors", FDS)
TABLE(ARGS, UINT64)
FIELD("value", STRING, 1)
TABLE(ENV, UINT64)
FIELD("value", STRING, 1)
TABLE(CGROUPS, UINT64)
FIELD("first", STRING, 1) FIELD("second", STRING, 1)
TABLE(FDS, INT64)
FIELD("type", UINT8, 0) FIELD("open_flags", UINT32, 0) FIELD("name", STRING, 0)
FIELD("name_raw", STRING, 0) FIELD("old_name", STRING, 0) FIELD("flags", UINT32, 0)
FIELD("dev", UINT32, 0) FIELD("mount_id", UINT32, 0) FIELD("ino", UINT64, 0)
FIELD("pid", INT64, 0) FIELD("fd", INT64, 0)
FIELD("socket_ipv4_src_ip", UINT32, 0) FIELD("socket_ipv4_dest_ip", UINT32, 0)
FIELD("socket_ipv4_src_port", UINT16, 0) FIELD("socket_ipv4_dest_port", UINT16, 0)
FIELD("socket_ipv6_src_ip_low", UINT64, 0) FIELD("socket_ipv6_src_ip_high", UINT64, 0)
FIELD("socket_ipv6_dest_ip_low", UINT64, 0) FIELD("socket_ipv6_dest_ip_high", UINT64, 0)
FIELD("socket_ipv6_src_port", UINT16, 0) FIELD("socket_ipv6_dest_port", UINT16, 0)
FIELD("socket_unix_src", UINT64, 0) FIELD("socket_unix_dest", UINT64, 0)
    /* clang-format on */
