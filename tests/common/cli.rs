//! Runs the real binary in a temporary folder and says everything about a run that went wrong.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest a run may take: a hang fails instead of stopping the tests.
const LIMIT: Duration = Duration::from_secs(180);

/// A temporary folder that commands run in.
pub struct Dir {
    folder: tempfile::TempDir,
}

impl Dir {
    /// An empty folder.
    pub fn new() -> Dir {
        Dir { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; missing folders on the way are made.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        nice(&path, fs::write(&path, content));
    }

    /// A file's bytes.
    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        nice(&path, fs::read(&path))
    }

    /// A file's text.
    pub fn text(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// A file's JSON.
    #[track_caller]
    pub fn json(&self, name: impl AsRef<Path>) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// A new empty folder.
    pub fn folder(&self, name: impl AsRef<Path>) {
        let path = self.path(name);
        nice(&path, fs::create_dir_all(&path));
    }

    /// `skimp` with the arguments in `line`, which white space separates.
    pub fn skimp(&self, line: &str) -> Skimp<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skimp"));
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        // What the machine has set must not decide a test.
        for name in ["SKIMP_MODELS", "RAYON_NUM_THREADS", "RUST_BACKTRACE", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.env("SKIMP_CACHE", self.path("cache"));
        Skimp { dir: self, command, line: line.to_owned(), limit: LIMIT, stdout: None }
    }

    /// Everything in the folder: files with their bytes, folders with `None`.
    fn content(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut content = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in nice(&folder, fs::read_dir(&folder)) {
                let path = entry.unwrap().path();
                let bytes = if path.is_dir() {
                    folders.push(path.clone());
                    None
                } else {
                    Some(nice(&path, fs::read(&path)))
                };
                content.insert(path.strip_prefix(self.folder.path()).unwrap().to_owned(), bytes);
            }
        }
        content
    }
}

/// A command that has not run yet.
pub struct Skimp<'d> {
    dir: &'d Dir,
    command: Command,
    line: String,
    limit: Duration,
    stdout: Option<Stdio>,
}

impl Skimp<'_> {
    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Allows the run less time than usual.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sends standard output elsewhere, where it is not seen.
    pub fn printing_to(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Runs; it must succeed.
    #[track_caller]
    pub fn ok(self) -> Finished {
        let run = self.run();
        run.check(run.status.success(), "failed, but should succeed");
        run
    }

    /// Runs; what it prints must be one JSON value, which is returned.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let run = self.ok();
        match serde_json::from_str(&run.stdout) {
            Ok(value) => value,
            Err(error) => run.fail(&format!("printed no JSON: {error}")),
        }
    }

    /// Runs; it must refuse in the way skimp refuses: exit code 1, one message at the end of standard error,
    /// with all of `mentions`, nothing on standard output, and no file written, changed or left over, but for the
    /// checkpoint of a search, which is there to go on from.
    #[track_caller]
    pub fn refused(self, mentions: &[&str]) -> Finished {
        let (dir, before) = (self.dir, self.dir.content());
        let run = self.run();
        run.check(run.status.code() == Some(1), "should end with exit code 1");
        run.check(run.stdout.is_empty(), "should print nothing on standard output");
        let messages: Vec<&str> = run.stderr.split('\n').filter(|line| line.starts_with("error: ")).collect();
        run.check(messages.len() == 1, "should give one message");
        let message = &run.stderr[run.stderr.find("error: ").unwrap()..];
        for mention in mentions {
            run.check(message.contains(mention), &format!("should mention \"{mention}\""));
        }
        let mut after = dir.content();
        let new: Vec<PathBuf> = after.keys().filter(|path| !before.contains_key(*path)).cloned().collect();
        let checkpoints: Vec<&PathBuf> =
            new.iter().filter(|path| path.extension().is_some_and(|e| e == "checkpoint")).collect();
        let of_checkpoint =
            |path: &PathBuf| checkpoints.iter().any(|c| *c == path || c.parent() == Some(path.as_path()));
        new.iter().filter(|path| of_checkpoint(path)).for_each(|path| drop(after.remove(path)));
        run.check(after == before, "should leave the folder as it was");
        run
    }

    /// Runs; the command line itself must be refused: exit code 2, with all of `mentions`.
    #[track_caller]
    pub fn misused(self, mentions: &[&str]) -> Finished {
        let (dir, before) = (self.dir, self.dir.content());
        let run = self.run();
        run.check(run.status.code() == Some(2), "should end with exit code 2");
        run.check(run.stdout.is_empty(), "should print nothing on standard output");
        for mention in mentions {
            run.check(run.stderr.contains(mention), &format!("should mention \"{mention}\""));
        }
        run.check(dir.content() == before, "should leave the folder as it was");
        run
    }

    /// Runs to the end, whatever that is. A panic or a hang fails in any case.
    #[track_caller]
    pub fn run(mut self) -> Finished {
        let [mut stdout, mut stderr] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        self.command.stdin(Stdio::null());
        let captured = stdout.try_clone().unwrap().into();
        self.command.stdout(self.stdout.take().unwrap_or(captured)).stderr(stderr.try_clone().unwrap());
        let mut child = self.command.spawn().unwrap();
        let start = Instant::now();
        let mut stopped = false;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > self.limit {
                stopped = true;
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let text = |file: &mut fs::File| {
            let mut bytes = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let run = Finished {
            line: self.line,
            listing: self.dir.content().keys().map(|path| path.display().to_string()).collect(),
            status,
            stdout: text(&mut stdout),
            stderr: text(&mut stderr),
        };
        run.check(!stopped, &format!("did not end within {} s", self.limit.as_secs()));
        run.check(!run.stderr.contains("panicked"), "panicked");
        run
    }
}

/// What became of a command.
pub struct Finished {
    line: String,
    listing: Vec<String>,
    status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Fails with everything there is to see unless `right`.
    #[track_caller]
    pub fn check(&self, right: bool, what: &str) {
        if !right {
            self.fail(what);
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!(
            "\n\n==========\n$ skimp {}\n{what}\n\nfolder: {}\n\nstatus: {}\n\nstdout:\n{}\n\nstderr:\n{}\n\
             ==========\n",
            self.line,
            self.listing.join(", "),
            self.status,
            self.stdout,
            self.stderr
        )
    }
}

#[track_caller]
fn nice<T>(path: &Path, result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
