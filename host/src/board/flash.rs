//! Flashing a real board with `probe-rs`.

use super::description::Board;
use crate::error::{Error, Result};
use crate::process;
use crate::process::find_program;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long erasing and writing may take.
const FLASH_LIMIT: Duration = Duration::from_secs(300);
/// How long it may take to list debug probes.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// Writes what is given, firmware (an ELF file) and image, to the flash of `board` through a debug probe.
pub fn flash(
    board: &Board,
    firmware: Option<&Path>,
    image: Option<&Path>,
    progress: &mut dyn FnMut(&str),
) -> Result<()> {
    let (program, chip) = require_probe_rs(board)?;
    require_probe(&program, progress)?;
    if let Some(firmware) = firmware {
        progress(&format!("writing the firmware {}", firmware.display()));
        write(&mut download(&program, chip, firmware, None), progress)?;
    }
    if let Some(image) = image {
        let bytes = std::fs::metadata(image).map_err(Error::io(image))?.len();
        board.check_image_length(image, bytes)?;
        progress(&format!("writing the image {}", image.display()));
        write(&mut download(&program, chip, image, Some(board.image_address)), progress)?;
    }
    progress("starting the firmware");
    let mut reset = Command::new(&program);
    reset.args(["reset", "--non-interactive", "--chip", chip]);
    write(&mut reset, progress)
}

/// The `probe-rs` program, and what it calls the board's chip. Worth asking before a long build.
pub fn require_probe_rs(board: &Board) -> Result<(PathBuf, &'static str)> {
    let chip = board.probe_rs_chip.ok_or_else(|| {
        let name = board.name;
        Error::Argument(format!(
            "probe-rs can't flash the {name}: use it in QEMU instead, or write a file for another tool with --out"
        ))
    })?;
    let program = find_program("probe-rs").ok_or_else(|| {
        Error::tool(
            "probe-rs",
            "not found on PATH. Install it by\n  cargo install probe-rs-tools --locked\n\
             or as https://probe.rs/docs/getting-started/installation/ describes",
        )
    })?;
    Ok((program, chip))
}

fn require_probe(program: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    let listed = process::run_ok("probe-rs list", Command::new(program).arg("list"), LIST_LIMIT, progress)?;
    if listed.contains("No debug probes were found") {
        let reason = "no debug probe is connected, or its USB device is not accessible to this user \
                      (see https://probe.rs/docs/getting-started/probe-setup/)";
        return Err(Error::tool("probe-rs", reason));
    }
    Ok(())
}

fn write(command: &mut Command, progress: &mut dyn FnMut(&str)) -> Result<()> {
    process::run_ok("probe-rs", command, FLASH_LIMIT, progress).map(drop)
}

/// `probe-rs download` of an ELF file, or of plain bytes to go to an address.
fn download(program: &Path, chip: &str, file: &Path, address: Option<u32>) -> Command {
    let mut command = Command::new(program);
    command.args(["download", "--non-interactive", "--verify", "--chip", chip]);
    if let Some(address) = address {
        command.args(["--binary-format", "bin", "--base-address", &format!("{address:#x}")]);
    }
    command.arg(file);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_goes_to_its_address_as_plain_bytes() {
        let command = download(Path::new("probe-rs"), "STM32F405RGTx", Path::new("a.img"), Some(0x0804_0000));
        let arguments: Vec<_> = command.get_args().collect();
        let expected = "download --non-interactive --verify --chip STM32F405RGTx --binary-format bin \
                        --base-address 0x8040000 a.img";
        assert_eq!(arguments.join(" ".as_ref()), expected);
    }

    #[test]
    fn a_board_without_a_probe_is_refused() {
        let board = Board::find("mps2-an386").unwrap();
        let message = flash(board, None, None, &mut |_| {}).unwrap_err().to_string();
        assert!(message.contains("QEMU"), "{message}");
    }
}
