//! Tells the code whether the core is a Cortex-M0 or M0+, which lacks much of what the others have.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(armv6m)");
    if std::env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv6m")) {
        println!("cargo::rustc-cfg=armv6m");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
