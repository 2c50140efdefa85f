//! Instructions and estimated cycles of each layer, counted by a plugin inside QEMU.
//!
//! The plugin is `boards/latency-plugin`, built here like firmware. The firmware calls a function that does
//! nothing at each layer's begin and end; the plugin gets the addresses of the two and counts in between.

use super::description::Board;
use super::firmware;
use super::install::{Install, lock};
use super::log::LogLine;
use super::qemu::{Qemu, QemuOptions};
use super::timing::Timing;
use super::{Device, toolchain};
use crate::error::{Error, Result};
use crate::execute::{self, AlignedImage, BoardRun};
use crate::file;
use crate::process::{self, find_program};
use object::{Object, ObjectSymbol};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long building the plugin may take; it is seconds.
const BUILD_LIMIT: Duration = Duration::from_secs(600);
/// The functions that mark a layer's begin and end.
const MARKERS: [&str; 2] = ["skimp_layer_begin", "skimp_layer_end"];
/// The first line of what the plugin writes.
const HEADER: &str = "skimp-latency 1";

/// What a layer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerCost {
    /// Instructions.
    pub insns: u64,
    /// Cycles, estimated; `None` without the plugin.
    pub cycles: Option<u64>,
}

/// An image's run, with its costs.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Logits and ticks.
    pub run: BoardRun,
    /// What each layer took in the last inference.
    pub layers: Vec<LayerCost>,
    /// Why there are no cycles, if there are none.
    pub without_cycles: Option<String>,
}

/// Runs the image of file `path` on an emulated board, and measures each layer of its last inference.
///
/// Where the plugin can't be built or loaded, the board's own counter gives the instructions.
pub fn measure(
    timing: &Timing,
    board: &'static Board,
    (path, image): (&Path, &AlignedImage),
    inputs: &[u8],
    install: Install,
    progress: &mut dyn FnMut(&str),
) -> Result<Measured> {
    let firmware = firmware::build(board, install, progress)?;
    let program = toolchain::qemu(install, progress)?;
    let mut options = QemuOptions::new(&program, board, &firmware);
    options.image = Some(path);
    let log = |_: LogLine| {};
    let plain = options.clone();
    let (mut device, meter) = match start(timing, options, progress, log) {
        Ok((device, meter)) => (device, Ok(meter)),
        Err(Unmetered::Board(error)) => return Err(error),
        Err(Unmetered::Plugin(error)) => {
            progress(&error.to_string());
            (Device::connect(Qemu::start(&plain, log)?, board.name)?, Err(error.to_string()))
        }
    };
    let run = execute::on_board(&mut device, image, inputs, |_| {})?;
    match meter {
        Ok(meter) => {
            let layers = meter.read(run.layer_ticks.len())?;
            Ok(Measured { run, layers, without_cycles: None })
        }
        Err(reason) => {
            let insns = |&ticks: &u32| LayerCost {
                insns: device.insns(ticks.into()).unwrap_or_default(),
                cycles: None,
            };
            let layers = run.layer_ticks.iter().map(insns).collect();
            Ok(Measured { run, layers, without_cycles: Some(reason) })
        }
    }
}

/// Why a board did not start with the plugin.
#[derive(Debug)]
pub enum Unmetered {
    /// The plugin is at fault, or QEMU can't load any.
    Plugin(Error),
    /// It would not have started without it either.
    Board(Error),
}

/// Starts QEMU with the plugin.
pub fn start(
    timing: &Timing,
    mut options: QemuOptions<'_>,
    progress: &mut dyn FnMut(&str),
    log: impl FnMut(LogLine) + Send + 'static,
) -> Result<(Device<Qemu>, Meter), Unmetered> {
    let plugin = build(progress).map_err(Unmetered::Plugin)?;
    let meter = Meter::new(&plugin, options.firmware, timing).map_err(Unmetered::Plugin)?;
    options.arguments.extend(meter.arguments.iter().cloned());
    let device = Qemu::start(&options, log).and_then(|qemu| Device::connect(qemu, options.board.name));
    match device {
        Ok(device) => Ok((device, meter)),
        // QEMU writes why it can't load it, in words that differ from one version to the next.
        Err(error) if error.to_string().contains("plugin") => {
            let reason = format!(
                "it can't count cycles: skimp's plugin needs a QEMU that loads plugins and knows version 1 of \
                 their interface, such as the qemu-system-arm 7.2 of Debian 12; {error}"
            );
            Err(Unmetered::Plugin(Error::tool("qemu-system-arm", reason)))
        }
        Err(error) => Err(Unmetered::Board(error)),
    }
}

/// Builds the plugin if its sources have changed, and returns the library's file.
pub fn build(progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let manifest = firmware::sources()?.join("latency-plugin").join("Cargo.toml");
    let target_folder = firmware::target_folder().with_file_name("latency-plugin");
    let _lock = lock(&target_folder.join(".lock"), progress)?;
    let cargo = find_program("cargo")
        .or_else(|| Some("/usr/bin/cargo".into()).filter(|path: &PathBuf| path.is_file()));
    let cargo = cargo.ok_or_else(|| {
        Error::tool("cargo", "is not on PATH; it builds the plugin that counts cycles inside QEMU")
    })?;
    let mut command = Command::new(cargo);
    // For this machine and into the folder given, whatever an outer cargo has been told.
    for name in ["CARGO_BUILD_TARGET", "CARGO_BUILD_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    // Not in the folder of the boards, where cargo is configured for their processors.
    command
        .current_dir(firmware::workspace())
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target_folder);
    process::run_ok("building the plugin that counts cycles", &mut command, BUILD_LIMIT, progress)?;
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = target_folder.join("release").join(format!("{prefix}skimp_latency{suffix}"));
    if !library.is_file() {
        return Err(Error::file(library, "cargo reports success but did not write the plugin here"));
    }
    Ok(library)
}

/// The plugin's side of a run: what QEMU is to be told, and where the counts will be.
#[derive(Debug)]
pub struct Meter {
    folder: tempfile::TempDir,
    arguments: Vec<OsString>,
}

impl Meter {
    /// A meter for `firmware`.
    fn new(plugin: &Path, firmware: &Path, timing: &Timing) -> Result<Meter> {
        let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
        let [begin, end] = markers(firmware)?;
        // QEMU takes a doubled comma for one that is meant.
        let escaped = |path: &Path| path.to_string_lossy().replace(',', ",,");
        let argument = format!(
            "file={},out={},begin={begin:#x},end={end:#x},{}",
            escaped(plugin),
            escaped(&counts(&folder)),
            timing.arguments(),
        );
        Ok(Meter { folder, arguments: vec!["-plugin".into(), argument.into()] })
    }

    /// What each of so many `layers` took in the last inference.
    pub fn read(&self, layers: usize) -> Result<Vec<LayerCost>> {
        let path = counts(&self.folder);
        last_inference(&file::read_text(&path)?, layers).map_err(|reason| Error::file(path, reason))
    }
}

fn counts(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("layers.txt")
}

/// The last `layers` lines of what the plugin has written.
fn last_inference(text: &str, layers: usize) -> Result<Vec<LayerCost>, String> {
    let rest =
        text.strip_prefix(HEADER).ok_or_else(|| format!("the plugin should have begun with \"{HEADER}\""))?;
    let lines: Vec<&str> = rest.lines().skip(1).collect();
    let first = lines.len().checked_sub(layers).ok_or_else(|| {
        format!("the plugin has seen {} layers of {layers}; build the firmware anew", lines.len())
    })?;
    let cost = |line: &&str| {
        let (insns, cycles) = line.split_once(' ')?;
        Some(LayerCost { insns: insns.parse().ok()?, cycles: Some(cycles.parse().ok()?) })
    };
    let costs: Option<Vec<LayerCost>> = lines[first..].iter().map(cost).collect();
    costs.ok_or_else(|| "the plugin should have written two numbers a line".to_owned())
}

/// The addresses of the functions that mark layers.
fn markers(firmware: &Path) -> Result<[u32; 2]> {
    let bytes = file::read(firmware)?;
    let elf = object::File::parse(bytes.as_slice())
        .map_err(|error| Error::file(firmware, format!("unreadable firmware: {error}")))?;
    let address = |name: &str| {
        let symbol = elf.symbols().find(|symbol| symbol.name() == Ok(name));
        let address = symbol.and_then(|symbol| u32::try_from(symbol.address()).ok());
        // Bit 0 says Thumb.
        address.map(|address| address & !1).ok_or_else(|| {
            Error::file(firmware, format!("has no function {name}, so its layers can't be told apart"))
        })
    };
    Ok([address(MARKERS[0])?, address(MARKERS[1])?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(insns: u64, cycles: u64) -> LayerCost {
        LayerCost { insns, cycles: Some(cycles) }
    }

    #[test]
    fn the_last_inference_is_read() {
        let text = "skimp-latency 1\n1 2\n3 4\n5 6\n7 8\n";
        assert_eq!(last_inference(text, 2), Ok(vec![cost(5, 6), cost(7, 8)]));
        assert_eq!(last_inference(text, 0), Ok(vec![]));
        assert!(last_inference(text, 5).unwrap_err().contains("4 layers of 5"));
        assert!(last_inference("", 0).unwrap_err().contains("skimp-latency 1"));
        assert!(last_inference("skimp-latency 1\n1 x\n", 1).unwrap_err().contains("two numbers"));
    }

    #[test]
    fn firmware_without_markers_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not.elf");
        std::fs::write(&path, "text").unwrap();
        let message = markers(&path).unwrap_err().to_string();
        assert!(message.contains("not.elf: unreadable firmware"), "{message}");
    }
}
