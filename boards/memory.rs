//! The build script of every board: puts its `memory.x` where the linker looks for it.

fn main() {
    println!("cargo::rustc-link-search={}", std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=memory.x");
}
