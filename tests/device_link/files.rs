//! What `skimp flash --out` writes, read by QEMU.

use super::*;
use skimp::board::flash_file::{Format, merge};

/// Firmware and image in one file: no other way brings the image into flash.
#[test]
fn qemu_finds_the_image_in_a_merged_elf_file() {
    let folder = tempfile::tempdir().unwrap();
    let case = case(1);
    let image = image::build(&case.network, &case.convs, &case.names).unwrap().bytes;
    let path = write_image(folder.path(), &image);
    for board in ["mps2-an505", "netduinoplus2"] {
        let options = options(Board::find(board).unwrap());
        let merged = folder.path().join("merged.elf");
        std::fs::write(&merged, merge(options.board, Some(options.firmware), &path, Format::Elf).unwrap())
            .unwrap();
        check(QemuOptions::new(options.program, options.board, &merged), &image, &case.input);
    }
}

/// QEMU reads Intel HEX files by themselves only beside a kernel, which they are here to repeat.
#[test]
fn qemu_finds_the_image_in_a_merged_hex_file() {
    let folder = tempfile::tempdir().unwrap();
    let case = case(1);
    let image = image::build(&case.network, &case.convs, &case.names).unwrap().bytes;
    let path = write_image(folder.path(), &image);
    let hex = folder.path().join("image.hex");
    let mut options = options(Board::find("microbit").unwrap());
    std::fs::write(&hex, merge(options.board, None, &path, Format::Hex).unwrap()).unwrap();
    options.arguments = vec!["-device".into(), format!("loader,file={}", hex.display()).into()];
    check(options, &image, &case.input);
}

fn check(options: QemuOptions<'_>, image: &[u8], input: &[u8]) {
    let qemu = Qemu::start(&options, |_| {}).unwrap_or_else(|e| panic!("{e}"));
    let mut device = Device::connect(qemu, options.board.name).unwrap_or_else(|e| panic!("{e}"));
    assert!(device.holds_image(image).unwrap(), "{}", options.board.name);
    device.load().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(device.infer(input).unwrap().logits, run_on_host(image, input));
}
