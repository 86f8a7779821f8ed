"""A plugin of the tests as a shared object."""

def plugin(name, src = None, defines = {}, linkopts = [], deps = ["//tests/plugins:kit"]):
    """NAME.so from src (NAME.c), with defines {macro: C text}."""
    native.cc_binary(
        name = name + ".so",
        srcs = [src or name + ".c"],
        copts = ["'-D%s=%s'" % (macro, text) for macro, text in defines.items()],
        # Only what it uses: a C plugin has no business with libstdc++.
        linkopts = ["-Wl,--as-needed"] + linkopts,
        linkshared = True,
        deps = deps,
    )
