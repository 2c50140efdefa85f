//! A board emulated by QEMU.

use super::description::Board;
use super::link::Link;
use super::log::{LogLine, SharedTail, decode};
use crate::error::{Error, Result};
use crate::file;
use crate::process::with_tail;
use defmt_decoder::Table;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long QEMU may take to start; it needs a tenth of a second on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long to let the log arrive after QEMU's end.
const LOG_GRACE: Duration = Duration::from_millis(200);

/// What to start.
#[derive(Clone, Debug)]
pub struct QemuOptions<'a> {
    /// `qemu-system-arm`.
    pub program: &'a Path,
    /// The board.
    pub board: &'static Board,
    /// The firmware's ELF file.
    pub firmware: &'a Path,
    /// The image's file, if any.
    pub image: Option<&'a Path>,
    /// More arguments, such as a plugin.
    pub arguments: Vec<OsString>,
}

impl<'a> QemuOptions<'a> {
    /// Firmware without an image or further arguments.
    pub fn new(program: &'a Path, board: &'static Board, firmware: &'a Path) -> Self {
        Self { program, board, firmware, image: None, arguments: Vec::new() }
    }
}

/// A QEMU that runs firmware, and the serial line to it. It is killed when dropped.
#[derive(Debug)]
pub struct Qemu {
    child: Child,
    line: TcpStream,
    log: SharedTail,
    errors: SharedTail,
}

impl Qemu {
    /// Starts QEMU so that one instruction takes one virtual nanosecond, which makes runs repeatable.
    /// What the firmware logs goes to `log`, from another thread.
    pub fn start(options: &QemuOptions<'_>, log: impl FnMut(LogLine) + Send + 'static) -> Result<Qemu> {
        let emulation = options.board.emulation()?;
        check_image(options)?;
        let elf = file::read(options.firmware)?;
        let table = Table::parse(&elf)
            .map_err(|error| Error::file(options.firmware, format!("unreadable log table: {error}")))?
            .ok_or_else(|| Error::file(options.firmware, "holds no log table, so is no skimp firmware"))?;

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let mut child = command(options, emulation.machine, port)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io(options.program))?;
        let log_tail = follow_log(&mut child, table, log);
        let errors = follow_errors(&mut child);
        match accept(&listener, &mut child) {
            Ok(line) => Ok(Qemu { child, line, log: log_tail, errors }),
            Err(error) => {
                end(&mut child);
                std::thread::sleep(LOG_GRACE);
                let reason = format!("did not start: {error}");
                Err(Error::tool("qemu-system-arm", with_tail(&reason, &errors.text())))
            }
        }
    }
}

impl Qemu {
    /// The process that emulates the board.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

impl Link for Qemu {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.line.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        let left = deadline.saturating_duration_since(Instant::now());
        // A timeout of zero would mean none.
        self.line.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match self.line.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            // What a timeout is called depends on the system.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::TimedOut.into()),
            other => other,
        }
    }

    fn post_mortem(&mut self) -> String {
        std::thread::sleep(LOG_GRACE);
        let state = match self.child.try_wait() {
            Ok(Some(status)) => format!("QEMU has ended ({status})"),
            Ok(None) => "QEMU is running".to_owned(),
            Err(error) => format!("QEMU's state is unknown: {error}"),
        };
        let mut text = state;
        for (title, tail) in [("it printed", self.errors.text()), ("the firmware logged", self.log.text())] {
            if !tail.is_empty() {
                text.push_str(&format!("\n{title}:\n{tail}"));
            }
        }
        text
    }

    fn is_emulated(&self) -> bool {
        true
    }
}

/// QEMU itself reports a missing file, but starts with one that overlaps its neighbours.
fn check_image(options: &QemuOptions<'_>) -> Result<()> {
    let Some(image) = options.image else { return Ok(()) };
    let bytes = std::fs::metadata(image).map_err(Error::io(image))?.len();
    options.board.check_image_length(image, bytes)
}

fn command(options: &QemuOptions<'_>, machine: &str, port: u16) -> Command {
    let mut command = Command::new(options.program);
    command
        .args(["-machine", machine, "-display", "none", "-monitor", "none"])
        .args(["-no-reboot", "-icount", "shift=0", "-semihosting-config", "enable=on,target=native"])
        .args(["-chardev", &format!("socket,id=line,host=127.0.0.1,port={port},nodelay=on")])
        .args(["-serial", "chardev:line", "-kernel"])
        .arg(options.firmware);
    if let Some(image) = options.image {
        command.arg("-device").arg(loader(image.as_os_str(), options.board.image_address));
    }
    command.args(&options.arguments);
    command
}

/// The argument that puts a file into memory. QEMU takes a doubled comma for one that is meant.
fn loader(image: &OsStr, address: u32) -> OsString {
    let path = image.to_string_lossy().replace(',', ",,");
    format!("loader,file={path},addr={address:#x},force-raw=on").into()
}

/// Waits until QEMU connects its serial line.
fn accept(listener: &TcpListener, child: &mut Child) -> io::Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let deadline = Instant::now() + START_LIMIT;
    loop {
        match listener.accept() {
            Ok((line, _)) => {
                line.set_nonblocking(false)?;
                line.set_nodelay(true)?;
                line.set_write_timeout(Some(START_LIMIT))?;
                return Ok(line);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("it ended at once ({status})")));
        }
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn follow_log(child: &mut Child, table: Table, mut log: impl FnMut(LogLine) + Send + 'static) -> SharedTail {
    let tail = SharedTail::default();
    let kept = tail.clone();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            decode(output, &table, |line| {
                kept.push(format!("{}: {}", line.level, line.message));
                log(line);
            });
        });
    }
    tail
}

fn follow_errors(child: &mut Child) -> SharedTail {
    let tail = SharedTail::default();
    let kept = tail.clone();
    if let Some(output) = child.stderr.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n') {
                let Ok(line) = line else { break };
                kept.push(String::from_utf8_lossy(&line).into_owned());
            }
        });
    }
    tail
}

/// Kills and reaps; both fail only if it has ended before.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn failed(error: io::Error) -> Error {
    Error::tool("serial line to QEMU", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_a_path_stay_part_of_it() {
        let argument = loader(OsStr::new("/tmp/a,b"), 0x10_0000);
        assert_eq!(argument, "loader,file=/tmp/a,,b,addr=0x100000,force-raw=on");
    }
}
