//! The library for C: its header is the one of its sources, it refuses what it is wrongly given, and a program
//! in C, in QEMU, computes what the host does. Needs an embedded Rust target, QEMU, make and a C compiler for
//! Arm, and installs them where it can; without the compiler it says so and runs the other tests.

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod common;

#[path = "../boards/c/src/api/mod.rs"]
#[allow(dead_code, missing_docs, reason = "the library's own source, here for the host")]
mod api;

#[path = "c_library/calls.rs"]
mod calls;
#[path = "c_library/example.rs"]
mod example;

use std::path::Path;

/// Set to write the header anew.
const WRITE: &str = "SKIMP_WRITE_HEADER";

#[test]
fn the_header_is_that_of_the_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/c");
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in ["status", "network"] {
        builder = builder.with_src(folder.join(format!("src/api/{name}.rs")));
    }
    let mut made = Vec::new();
    builder.generate().unwrap().write(&mut made);
    let path = folder.join("include/skimp.h");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert!(made == committed, "{} is not that of the sources: run this test with {WRITE}=1", path.display());
}
