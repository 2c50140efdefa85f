//! Building the runtime alone, to be looked at.

use super::description::Profile;
use super::firmware::{BUILD_LIMIT, sources, target_folder};
use super::install::{Install, lock};
use super::toolchain::Toolchain;
use crate::error::Result;
use crate::{file, process};

/// Links the runtime and nothing else for the Rust target `target` and returns the ELF file's bytes.
/// `features` are those of `boards/footprint`. The toolchain is installed first if it is missing and `install`
/// allows it. cargo's lines go to `progress`.
pub fn build(
    target: &str,
    profile: Profile,
    features: &[&str],
    install: Install,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<u8>> {
    let folder = target_folder();
    // Whatever the features, the file is the same: it is read before somebody else builds it.
    let _lock = lock(&folder.join(".lock"), progress)?;
    let toolchain = Toolchain::find_or_install(target, install, progress)?;

    let mut features = features.join(",");
    if target.starts_with("thumbv8m.main-") {
        features.push_str(",dsp");
    }
    let mut command = toolchain.build_command(profile);
    command
        .current_dir(sources()?)
        .args(["--package", "skimp-footprint", "--no-default-features", "--features", &features])
        .arg("--target-dir")
        .arg(&folder);
    process::run_ok("building the runtime alone", &mut command, BUILD_LIMIT, progress)?;

    file::read(folder.join(target).join(profile.name()).join("footprint"))
}
