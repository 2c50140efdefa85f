//! `skimp run --port`: a pseudo-terminal whose other end is QEMU's line to the firmware.

use super::*;
use serialport::{SerialPort, TTYPort};
use skimp::board::link::Link;
use std::io::{ErrorKind, Read, Write};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_board_on_a_serial_port_runs_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let case = case(1);
    let image = image::build(&case.network, &case.convs, &case.names).unwrap().bytes;
    let path = write_image(folder.path(), &image);
    let codes = folder.path().join("codes");
    std::fs::write(&codes, case.input.repeat(3)).unwrap();
    let (mut ours, theirs) = TTYPort::pair().unwrap();
    let port = theirs.name().unwrap();
    // The other end has to stay open, but locked it can't be opened again.
    let _open = std::fs::File::options().read(true).write(true).open(&port).unwrap();
    drop(theirs);
    let options = QemuOptions { image: Some(&path), ..options(Board::find("lm3s6965evb").unwrap()) };
    let mut qemu = Qemu::start(&options, |_| {}).unwrap_or_else(|e| panic!("{e}"));

    let mut skimp = Command::new(env!("CARGO_BIN_EXE_skimp"))
        .args(["run", "--board", "lm3s6965evb", "--json", "--port", &port, "--baud", "230400", "--inputs"])
        .args([&codes, &path])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let ended = loop {
        let mut buffer = [0; 600];
        ours.set_timeout(Duration::from_millis(1)).unwrap();
        match ours.read(&mut buffer) {
            Ok(bytes) => qemu.send(&buffer[..bytes]).unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
        }
        match qemu.receive(&mut buffer, Instant::now() + Duration::from_millis(1)) {
            Ok(bytes) => ours.write_all(&buffer[..bytes]).unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
        }
        if let Some(status) = skimp.try_wait().unwrap() {
            break status;
        }
    };
    let mut printed = String::new();
    skimp.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(ended.success(), "{ended}: {printed}");
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!([&report["images"], &report["logits_differing"]], [3, 0], "{report}");
    assert!(report.get("insns_per_inference").is_none(), "a real board counts no instructions: {report}");
}
