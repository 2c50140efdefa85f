//! Puts the scripts that every firmware is linked with where the linker looks for them.

fn main() {
    println!("cargo::rustc-link-search={}", std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=link.x");
    println!("cargo::rerun-if-changed=defmt.x");
}
