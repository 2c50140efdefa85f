//! Chooses the innermost loops by the target: stable Rust does not tell a crate which instructions there are.
//!
//! - `skimp_thumb`: Thumb-2 (Cortex-M3 and later);
//! - `skimp_dsp`: with dual 16-bit multiplications (Cortex-M4, M7, and M33 with the feature `dsp`);
//! - `skimp_optional_dsp`: beyond what the target implies;
//! - `skimp_short_products`: no multiplication has a 64-bit result (Cortex-M0, M0+).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["skimp_thumb", "skimp_dsp", "skimp_optional_dsp", "skimp_short_products"] {
        println!("cargo::rustc-check-cfg=cfg({name})");
    }
    let target = std::env::var("TARGET").unwrap_or_default();
    let optional_dsp = std::env::var_os("CARGO_FEATURE_DSP").is_some();
    let thumb = ["thumbv7m-", "thumbv7em-", "thumbv8m.main-"].iter().any(|start| target.starts_with(start));
    let armv8 = target.starts_with("thumbv8m.main-") && optional_dsp;
    let dsp = target.starts_with("thumbv7em-") || armv8;
    let short = ["thumbv6m-", "thumbv8m.base-"].iter().any(|start| target.starts_with(start));
    let found = [
        ("skimp_thumb", thumb),
        ("skimp_dsp", dsp),
        ("skimp_optional_dsp", armv8),
        ("skimp_short_products", short),
    ];
    for (name, _) in found.iter().filter(|(_, holds)| *holds) {
        println!("cargo::rustc-cfg={name}");
    }
}
