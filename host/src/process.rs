//! Running other programs so that they neither hang nor ask questions nor fail without a word.

use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How much of a program's output an error shows.
const TAIL_LINES: usize = 25;

/// What became of a program.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its last lines, of both outputs.
    pub tail: String,
}

/// Where on `PATH` a program is.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}

/// Runs `command` for at most `limit`, its input closed, and hands each line of its outputs to `progress`.
/// A program that can't be started or has to be killed is an error that names it `tool`.
pub fn run(
    tool: &str,
    command: &mut Command,
    limit: Duration,
    progress: &mut dyn FnMut(&str),
) -> Result<Finished> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Error::tool(tool, format!("could not be started: {error}")))?;
    let (sender, receiver) = channel();
    forward_lines(child.stdout.take(), sender.clone());
    forward_lines(child.stderr.take(), sender);

    let deadline = Instant::now() + limit;
    let mut tail = Tail::default();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left.min(Duration::from_millis(100))) {
            Ok(line) => {
                progress(&line);
                tail.push(line);
                continue;
            }
            // A grandchild may hold the outputs open after the program's end, so ask for that too.
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => {
                let ended = child.try_wait().map_err(|error| Error::tool(tool, error.to_string()))?;
                if let Some(status) = ended {
                    return Ok(Finished { status, tail: tail.text() });
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                // Both only fail if it has just ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                let reason = format!("no end after {} s, stopped", limit.as_secs());
                return Err(Error::tool(tool, with_tail(&reason, &tail.text())));
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().map_err(|error| Error::tool(tool, error.to_string()))?;
    Ok(Finished { status, tail: tail.text() })
}

/// Like [`run`], and a failing exit status is an error with the program's last lines.
pub fn run_ok(
    tool: &str,
    command: &mut Command,
    limit: Duration,
    progress: &mut dyn FnMut(&str),
) -> Result<String> {
    let finished = run(tool, command, limit, progress)?;
    if finished.status.success() {
        return Ok(finished.tail);
    }
    Err(Error::tool(tool, with_tail(&format!("failed ({})", finished.status), &finished.tail)))
}

/// What a short query prints on its standard output; `None` if it can't be run, fails or takes long.
pub fn query(command: &mut Command) -> Option<String> {
    command.stderr(Stdio::null());
    let mut lines = Vec::new();
    let limit = Duration::from_secs(20);
    let finished = run("query", command, limit, &mut |line| lines.push(line.to_owned())).ok()?;
    finished.status.success().then(|| lines.join("\n"))
}

/// The most memory this program has had so far, where the system tells.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// A reason, and below it the last lines of a program's output.
pub fn with_tail(reason: &str, tail: &str) -> String {
    if tail.is_empty() { reason.to_owned() } else { format!("{reason}; its last lines:\n{tail}") }
}

fn forward_lines(output: Option<impl Read + Send + 'static>, sender: Sender<String>) {
    let Some(output) = output else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                break;
            }
        }
    });
}

/// The last lines of something long.
#[derive(Debug, Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    pub(crate) fn push(&mut self, line: String) {
        if self.0.len() == TAIL_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub(crate) fn text(&self) -> String {
        Vec::from_iter(self.0.iter().map(String::as_str)).join("\n")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_outputs_arrive() {
        let mut lines = Vec::new();
        let script = "echo one; sleep 0.1; echo two >&2; read line || echo closed";
        let limit = Duration::from_secs(10);
        run_ok("sh", &mut shell(script), limit, &mut |line| lines.push(line.to_owned())).unwrap();
        lines.sort();
        assert_eq!(lines, ["closed", "one", "two"]);
    }

    #[test]
    fn a_failure_shows_the_last_lines() {
        let error = run_ok("sh", &mut shell("echo why; exit 3"), Duration::from_secs(10), &mut |_| {});
        assert_eq!(error.unwrap_err().to_string(), "sh: failed (exit status: 3); its last lines:\nwhy");
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let start = Instant::now();
        let error = run("sh", &mut shell("echo on; exec sleep 60"), Duration::from_millis(300), &mut |_| {});
        assert!(error.unwrap_err().to_string().contains("stopped; its last lines:\non"));
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run("nosuch", &mut Command::new("/no/such"), Duration::from_secs(1), &mut |_| {});
        assert!(error.unwrap_err().to_string().starts_with("nosuch: could not be started: "));
    }
}
