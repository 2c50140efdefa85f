//! Installing what is missing, if that is allowed and possible without asking anyone.

use crate::error::{Error, Result};
use crate::process::{self, find_program};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Whether missing tools may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Install {
    /// Yes, by the system's package manager or rustup.
    Allowed,
    /// No: say what to install and stop.
    Forbidden,
}

/// How long an installation may take.
const APT_LIMIT: Duration = Duration::from_secs(900);
/// How long rustup may take to add a target; without a network it waits much longer by itself.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);
/// How long to wait for another process that installs or builds.
const LOCK_LIMIT: Duration = Duration::from_secs(1200);

/// Keeps other processes out of a section of work until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

/// Waits, not for ever, until no other process holds the lock file `path`.
pub fn lock(path: &Path, progress: &mut dyn FnMut(&str)) -> Result<Lock> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    let file = File::options().create(true).append(true).open(path).map_err(Error::io(path))?;
    let deadline = Instant::now() + LOCK_LIMIT;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::Error(source)) => return Err(Error::Io { path: path.to_owned(), source }),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                if !std::mem::replace(&mut told, true) {
                    progress("waiting for another process that installs or builds the same");
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(TryLockError::WouldBlock) => {
                let reason = format!("another process has held it for {} s", LOCK_LIMIT.as_secs());
                return Err(Error::file(path, reason));
            }
        }
    }
}

/// Installs Debian packages, or says with which commands to do so. `why` says what is missing.
pub fn apt(why: &str, packages: &[&str], install: Install, progress: &mut dyn FnMut(&str)) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!(
        "{why}. Install it, on Debian by\n  \
         apt-get update && apt-get install --no-install-recommends {list}"
    );
    if install == Install::Forbidden {
        return Err(Error::tool(list, format!("{by_hand}\nor allow installation (without --no-install)")));
    }
    if find_program("apt-get").is_none() || !is_root() {
        return Err(Error::tool(list, format!("{by_hand}\n(skimp does this itself only as root)")));
    }
    // Two at once would get in each other's way.
    let _lock = lock(&std::env::temp_dir().join("skimp-install.lock"), progress)?;
    progress(&format!("{why}: installing {list}"));
    // Old package lists often do: a failing update shows when the installation fails.
    let updated = process::run("apt-get update", apt_get().arg("update"), APT_LIMIT, progress);
    if let Err(error) = updated {
        progress(&error.to_string());
    }
    let mut command = apt_get();
    command.args(["install", "--no-install-recommends"]).args(packages);
    process::run_ok("apt-get install", &mut command, APT_LIMIT, progress)
        .map_err(|error| Error::tool("apt-get install", format!("{error}\n{by_hand}")))?;
    Ok(())
}

/// The first of `packages` that Debian offers in at least `version`, if any.
pub fn offered_by_apt<'a>(packages: &[&'a str], version: (u32, u32)) -> Option<&'a str> {
    packages.iter().copied().find(|package| {
        let shown = process::query(Command::new("apt-cache").args(["show", "--no-all-versions", package]));
        shown
            .as_deref()
            .and_then(|text| text.lines().find_map(|line| line.strip_prefix("Version: ")))
            .and_then(parse_version)
            .is_some_and(|offered| offered >= version)
    })
}

/// Has rustup add `target` to the toolchain in use.
pub fn rustup_target(target: &str, rustup: &mut Command, progress: &mut dyn FnMut(&str)) -> Result<()> {
    let limit_s = RUSTUP_LIMIT.as_secs();
    progress(&format!("adding the target {target} with rustup, for at most {limit_s} s"));
    process::run_ok("rustup", rustup.args(["target", "add", target]), RUSTUP_LIMIT, progress)?;
    Ok(())
}

/// The major and minor number at the beginning of a version such as `1.96.0+dfsg1`.
pub fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.trim().split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C").args([
        "--yes",
        "-o",
        "DPkg::Lock::Timeout=300",
        "-o",
        "Acquire::http::Timeout=30",
        "-o",
        "Acquire::Retries=2",
    ]);
    command
}

fn is_root() -> bool {
    process::query(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_up_to_the_minor_number() {
        assert_eq!(parse_version("1.96.0+dfsg1-1~deb12u2"), Some((1, 96)));
        assert_eq!(parse_version("1.95.0-nightly"), Some((1, 95)));
        assert_eq!(parse_version("unknown"), None);
    }

    #[test]
    fn without_leave_the_commands_are_named_and_nothing_runs() {
        let error = apt("QEMU is missing", &["qemu-system-arm"], Install::Forbidden, &mut |_| {});
        let message = error.unwrap_err().to_string();
        assert!(message.contains("apt-get install --no-install-recommends qemu-system-arm"), "{message}");
        assert!(message.contains("--no-install)"), "{message}");
    }

    #[test]
    fn a_lock_is_held_until_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path, &mut |_| {}).unwrap();
        assert!(File::open(&path).unwrap().try_lock().is_err());
        drop(held);
        assert!(File::open(&path).unwrap().try_lock().is_ok());
    }
}
