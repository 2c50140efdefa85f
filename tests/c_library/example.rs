//! The example in C, built by its Makefile, in QEMU.

use crate::common::random::case;
use skimp::board::{Board, Install, c_library, install, toolchain};
use skimp::execute::{self, AlignedImage};
use skimp::process::{self, Finished, find_program};
use skimp::{file, image};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where the example's linker script says that the input is.
const INPUT_ADDRESS: u32 = 0x2030_0000;

const LIMIT: Duration = Duration::from_secs(120);

fn run(name: &str, command: &mut Command) -> Finished {
    process::run(name, command, LIMIT, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"))
}

/// A C compiler for Arm; where none can be had, that is said past the test harness.
fn compiler() -> Option<PathBuf> {
    let mut progress = |line: &str| println!("{line}");
    match c_library::compiler(Install::Allowed, &mut progress) {
        Ok(path) => Some(path),
        Err(error) => {
            let _ =
                writeln!(std::io::stderr(), "\nSKIPPED: the example in C is not built nor run: {error}\n");
            None
        }
    }
}

/// The example's ELF file, in `folder`.
fn build(compiler: &Path, folder: &Path) -> PathBuf {
    let mut progress = |line: &str| println!("{line}");
    let board = Board::find("mps2-an386").unwrap();
    let library = c_library::build(board.target, Install::Allowed, &mut progress);
    let library = library.unwrap_or_else(|e| panic!("{e}"));
    if find_program("make").is_none() {
        install::apt("make is missing", &["make"], Install::Allowed, &mut progress)
            .unwrap_or_else(|e| panic!("{e}"));
    }
    let variable = |name: &str, path: &Path| OsString::from(format!("{name}={}", path.display()));
    let finished = run(
        "make",
        Command::new("make")
            .arg("-C")
            .arg(c_library::header_folder().unwrap().join("../example"))
            .arg(variable("CC", compiler))
            .arg(variable("LIBRARY", &library))
            .arg(variable("BUILD", folder))
            .arg("EXTRA_CFLAGS=-Werror"),
    );
    assert!(finished.status.success(), "{}", finished.tail);
    folder.join("example.elf")
}

/// Runs the example on an image and an input; whether it succeeded, and what it printed.
fn emulate(elf: &Path, image: &Path, input: &Path) -> (bool, String) {
    let board = Board::find("mps2-an386").unwrap();
    let program = toolchain::qemu(Install::Allowed, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    let loader = |path: &Path, address: u32| {
        OsString::from(format!("loader,file={},addr={address:#x},force-raw=on", path.display()))
    };
    let finished = run(
        "qemu-system-arm",
        Command::new(program)
            .args([
                "-machine",
                board.qemu.expect("an emulated board").machine,
                "-display",
                "none",
                "-monitor",
                "none",
            ])
            .args(["-serial", "stdio", "-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(elf)
            .arg("-device")
            .arg(loader(image, board.image_address))
            .arg("-device")
            .arg(loader(input, INPUT_ADDRESS)),
    );
    (finished.status.success(), finished.tail)
}

#[test]
fn a_program_in_c_computes_what_the_host_computes() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    let elf = build(&compiler, folder.path());
    let (image_path, input_path) = (folder.path().join("image"), folder.path().join("input"));
    for seed in 0..12 {
        let case = case(seed);
        let bytes = image::build(&case.network, &case.convs, &case.names).unwrap().bytes;
        file::write_atomically(&image_path, &bytes).unwrap();
        file::write_atomically(&input_path, &case.input).unwrap();
        let logits = execute::on_host(&AlignedImage::new(&bytes), &case.input).unwrap();
        let list: String = logits.iter().map(|logit| format!(" {logit}")).collect();
        let expected = format!("logits:{list}\nclass: {}", skimp_runtime::argmax(&logits));
        assert_eq!(emulate(&elf, &image_path, &input_path), (true, expected), "seed {seed}");

        let mut damaged = bytes;
        *damaged.last_mut().unwrap() ^= 1;
        file::write_atomically(&image_path, &damaged).unwrap();
        let message = "loading: the image is damaged: flash it again".to_owned();
        assert_eq!(emulate(&elf, &image_path, &input_path), (false, message));
    }
}

#[test]
fn the_header_is_c99_and_cpp() {
    let Some(compiler) = compiler() else { return };
    let header = c_library::header_folder().unwrap().join("skimp.h");
    for language in [["-xc", "-std=c99"], ["-xc++", "-std=c++11"]] {
        let mut command = Command::new(&compiler);
        command.args(language).args(["-ffreestanding", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic"]);
        let finished = run("arm-none-eabi-gcc", command.arg("-Werror").arg(&header));
        assert!(finished.status.success(), "{language:?}: {}", finished.tail);
    }
}
