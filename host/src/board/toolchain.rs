//! Finding, or installing, what builds and emulates firmware.

use super::description::Profile;
use super::install::{self, Install, parse_version};
use crate::error::{Error, Result};
use crate::process;
use crate::process::find_program;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Rust that builds the firmware.
const OLDEST_RUST: (u32, u32) = (1, 95);

/// A cargo and rustc that can build for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    target: String,
    /// Whether the core library must be built along.
    build_std: bool,
    /// The linker, where rustc doesn't bring its own.
    linker: Option<PathBuf>,
}

impl Toolchain {
    /// The toolchain in use if it has `target`; else a toolchain that has the core library's sources to
    /// build it from; else what `install` allows: rustup adds the target, or apt Debian's own toolchain.
    pub fn find_or_install(
        target: &str,
        install: Install,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Toolchain> {
        if let Some(toolchain) = Self::find(target) {
            return Ok(toolchain);
        }
        let mut missing = format!("no Rust toolchain for {target} is installed");
        let rustup = find_program("rustup");
        if install == Install::Forbidden {
            let first = match rustup {
                Some(_) => format!("{missing}. Add it by\n  rustup target add {target}\nor"),
                None => missing,
            };
            return Err(install::apt(&first, &DEBIAN_PACKAGES, install, progress).err().unwrap_or_else(
                || Error::tool("rustc", "apt installed a toolchain although it was not allowed to"),
            ));
        }
        if let Some(rustup) = rustup {
            match install::rustup_target(target, &mut scrubbed(&rustup), progress) {
                Ok(()) => {}
                Err(error) => {
                    progress(&error.to_string());
                    missing.push_str(", and rustup could not add it");
                }
            }
            if let Some(toolchain) = Self::find(target) {
                return Ok(toolchain);
            }
        }
        let packages = debian_packages(target)?;
        install::apt(&missing, &packages, install, progress)?;
        Self::find(target).ok_or_else(|| {
            let reason = format!("{} are installed, but do not build for {target}", packages.join(" "));
            Error::tool("rustc", reason)
        })
    }

    /// A toolchain that needs no installation.
    fn find(target: &str) -> Option<Toolchain> {
        let on_path = || Some((find_program("cargo")?, find_program("rustc")?));
        let debian = || {
            let pair = (PathBuf::from("/usr/bin/cargo"), PathBuf::from("/usr/bin/rustc"));
            (pair.0.is_file() && pair.1.is_file()).then_some(pair)
        };
        let candidates = || [on_path(), debian()].into_iter().flatten();

        let with_target = candidates().find(|(_, rustc)| new_enough(rustc) && has_target(rustc, target));
        if let Some((cargo, rustc)) = with_target {
            let linker = None;
            return Some(Toolchain { cargo, rustc, target: target.to_owned(), build_std: false, linker });
        }
        let (cargo, rustc) = candidates().find(|(_, rustc)| new_enough(rustc) && has_sources(rustc))?;
        let linker = Some(find_linker()?);
        Some(Toolchain { cargo, rustc, target: target.to_owned(), build_std: true, linker })
    }

    /// Its compiler's version, and whether it comes with the core library.
    pub fn description(&self) -> String {
        let version = ask(&self.rustc, &["--version"]).unwrap_or_default();
        let suffix = if self.build_std { ", core library built along" } else { "" };
        version + suffix
    }

    /// A `cargo build` for the target in `profile`, to be given a package and a folder.
    pub fn build_command(&self, profile: Profile) -> Command {
        let mut command = scrubbed(&self.cargo);
        command.env("RUSTC", &self.rustc).args([
            "build",
            "--profile",
            profile.name(),
            "--locked",
            "--target",
            &self.target,
        ]);
        if self.build_std {
            // Stable compilers build the core library only when told to behave as its own project does.
            command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=core");
        }
        if let Some(linker) = &self.linker {
            let variable = format!("CARGO_TARGET_{}_LINKER", self.target.replace('-', "_").to_uppercase());
            command.env(variable, linker);
        }
        command
    }
}

/// `qemu-system-arm`, installed if it is missing and that is allowed.
pub fn qemu(install: Install, progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    const PROGRAM: &str = "qemu-system-arm";
    if let Some(path) = find_program(PROGRAM) {
        return Ok(path);
    }
    install::apt("QEMU's qemu-system-arm is missing", &[PROGRAM], install, progress)?;
    find_program(PROGRAM)
        .ok_or_else(|| Error::tool(PROGRAM, "apt installed it, yet it is not on PATH; see its package"))
}

/// Debian's newest Rust in a stable release, made for its web browsers.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];
/// Debian's ordinary Rust, new enough in later releases.
const DEBIAN_PLAIN_PACKAGES: [&str; 4] = ["rustc", "cargo", "rust-src", "lld"];

/// Debian's packages that can build the core library, if this release has any.
fn debian_packages(target: &str) -> Result<[&'static str; 4]> {
    let candidates = [DEBIAN_PACKAGES, DEBIAN_PLAIN_PACKAGES];
    let names = candidates.map(|packages| packages[0]);
    if find_program("apt-cache").is_none() {
        let reason =
            format!("no toolchain for {target} is installed; add one by\n  rustup target add {target}");
        return Err(Error::tool("rustc", reason));
    }
    // A fresh machine has no package lists yet: the newer packages are then the better guess.
    let offered = install::offered_by_apt(&names, OLDEST_RUST).unwrap_or(names[0]);
    Ok(candidates.into_iter().find(|packages| packages[0] == offered).unwrap_or(DEBIAN_PACKAGES))
}

/// A command free of what an outer cargo or rustup has set for its own children, which would otherwise
/// choose the inner one's compiler, flags or folders.
fn scrubbed(program: &Path) -> Command {
    const KEPT: [&str; 4] = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"];
    const DROPPED: [&str; 8] = [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTUP_TOOLCHAIN",
        "DEFMT_LOG",
    ];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let kept = KEPT.iter().any(|prefix| name.starts_with(prefix));
        if DROPPED.contains(&name) || (name.starts_with("CARGO_") && !kept) {
            command.env_remove(name);
        }
    }
    command
}

/// What `rustc` prints when asked for something.
fn ask(rustc: &Path, arguments: &[&str]) -> Option<String> {
    process::query(scrubbed(rustc).args(arguments)).map(|text| text.trim().to_owned())
}

fn new_enough(rustc: &Path) -> bool {
    ask(rustc, &["--version"])
        .and_then(|text| parse_version(text.strip_prefix("rustc ")?))
        .is_some_and(|version| version >= OLDEST_RUST)
}

fn has_target(rustc: &Path, target: &str) -> bool {
    ask(rustc, &["--print", "target-libdir", "--target", target])
        .is_some_and(|folder| Path::new(&folder).is_dir())
}

fn has_sources(rustc: &Path) -> bool {
    ask(rustc, &["--print", "sysroot"])
        .is_some_and(|root| Path::new(&root).join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file())
}

/// A linker for bare metal: rustup's own copy of lld, or the system's.
fn find_linker() -> Option<PathBuf> {
    let bundled = || {
        let rustc = find_program("rustc")?;
        let root = ask(&rustc, &["--print", "sysroot"])?;
        let host = ask(&rustc, &["--print", "host-tuple"])?;
        let path = Path::new(&root).join("lib/rustlib").join(host).join("bin/rust-lld");
        path.is_file().then_some(path)
    };
    bundled().or_else(|| ["rust-lld", "ld.lld"].into_iter().find_map(find_program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outer_cargo_leaves_no_trace() {
        // cargo sets these for its tests.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        let command = scrubbed(Path::new("cargo"));
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).collect();
        assert!(removed.iter().any(|(name, _)| *name == "CARGO_MANIFEST_DIR"));
        assert!(removed.iter().all(|(name, _)| *name != "CARGO_HOME" && *name != "PATH"));
    }

    #[test]
    fn building_the_core_library_takes_its_own_linker() {
        let toolchain = Toolchain {
            cargo: "cargo".into(),
            rustc: "/usr/bin/rustc".into(),
            target: "thumbv7em-none-eabihf".into(),
            build_std: true,
            linker: Some("/opt/lld".into()),
        };
        let command = toolchain.build_command(Profile::Release);
        let linker =
            command.get_envs().find(|(name, _)| *name == "CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER");
        assert_eq!(linker.unwrap().1, Some("/opt/lld".as_ref()));
        assert!(command.get_args().any(|argument| argument == "-Zbuild-std=core"));
    }
}
