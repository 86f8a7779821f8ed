"""A fuzz target as a test: a fixed number of deterministic runs (tests/fuzz/driver.c)."""

def fuzz_test(name, srcs, deps = [], corpus = [], **kwargs):
    """cc_test out of sources that define LLVMFuzzerTestOneInput (tests/fuzz/fuzz.h).

    corpus: files that are seeds, or inputs that once broke it.
    """
    native.cc_test(
        name = name,
        srcs = srcs,
        deps = deps + ["//tests/fuzz:driver"],
        data = corpus,
        args = ["$(rootpaths %s)" % f for f in corpus],
        # The driver looks for symbols that a target may leave out.
        linkstatic = True,
        **kwargs
    )
