//! Black-box tests of the running binary, by surface.
