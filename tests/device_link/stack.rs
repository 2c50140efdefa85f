//! How deep the stack gets. QEMU's RAM begins as zeros, so the lowest word that is something else tells.

use super::*;
use object::{Object, ObjectSymbol};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

/// What has to be left between the stack at its deepest and what lies below it.
const SPARE_BYTES: usize = 256;

#[test]
fn the_stack_stays_clear_of_the_networks() {
    for board in Board::emulated() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("qmp");
        let start = |board: &'static Board, path: &Path| {
            let mut options = QemuOptions { image: Some(path), ..options(board) };
            let monitor = format!("socket,id=qmp,path={},server=on,wait=off", socket.display());
            options.arguments = vec!["-chardev".into(), monitor.into(), "-mon".into()];
            options.arguments.push("chardev=qmp,mode=control".into());
            let qemu = Qemu::start(&options, |_| {}).unwrap_or_else(|e| panic!("{e}"));
            Device::connect(qemu, board.name).unwrap_or_else(|e| panic!("{e}"))
        };
        let (bottom, top) = stack(options(board).firmware);
        let dump = folder.path().join("stack");
        let mut deepest = 0;
        run_networks(board, start, |device| {
            // What a damaged frame and an unknown request take, too.
            device.hello().unwrap();
            save(&socket, bottom, top - bottom, &dump);
            let bytes = std::fs::read(&dump).unwrap();
            let untouched = bytes.iter().take_while(|&&byte| byte == 0).count();
            deepest = deepest.max(bytes.len() - untouched);
        });
        let size = (top - bottom) as usize;
        println!("{}: {deepest} bytes of stack used, of {size}", board.name);
        assert!(deepest + SPARE_BYTES <= size, "{}: {deepest} of {size}", board.name);
    }
}

/// Where the stack may at most grow down to, and where it begins.
fn stack(elf: &Path) -> (u32, u32) {
    let bytes = std::fs::read(elf).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    let address = |name| elf.symbol_by_name(name).unwrap_or_else(|| panic!("{name}")).address() as u32;
    (address("_stack_end"), address("_stack_start"))
}

/// Has QEMU write a part of the memory to a file.
fn save(socket: &Path, address: u32, bytes: u32, file: &Path) {
    let mut stream = UnixStream::connect(socket).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
    let file = file.display();
    let save = format!(
        "{{\"execute\":\"memsave\",\"arguments\":{{\"val\":{address},\"size\":{bytes},\"filename\":\"{file}\"}}}}"
    );
    answers.next().unwrap().unwrap();
    for command in ["{\"execute\":\"qmp_capabilities\"}", &save] {
        writeln!(stream, "{command}").unwrap();
        let answer = answers.next().unwrap().unwrap();
        assert!(answer.contains("\"return\""), "{answer}");
    }
}
