//! How far an evolution is, on standard error: a bar for terminals, and a line an epoch for all.

use crate::cli::common;
use indicatif::ProgressBar;
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) struct Progress {
    bar: ProgressBar,
    begin: Instant,
    /// Before this run.
    done: u64,
    epochs: u64,
}

impl Progress {
    /// Of a run from epoch `done` to `epochs`, each of so many `goals`.
    pub(super) fn start(done: u64, epochs: u64, goals: usize, checkpoint: &Path) -> Progress {
        let bar = common::progress_bar((epochs - done) * goals as u64, "evolving");
        let progress = Progress { bar, begin: Instant::now(), done, epochs };
        let checkpoint = checkpoint.display();
        if done > 0 {
            progress.say(&format!("{checkpoint} is at epoch {done} of {epochs}; going on from there"));
        }
        if done < epochs {
            progress.say(&format!(
                "after every epoch {checkpoint} keeps what is reached; if this run is stopped, the same command goes \
                 on from there"
            ));
        }
        progress
    }

    /// One goal of an epoch is done. From any thread.
    pub(super) fn tick(&self) {
        self.bar.inc(1);
    }

    /// `epoch` is over.
    pub(super) fn epoch(&self, epoch: u64, total_uw: f64) {
        let per_epoch = self.begin.elapsed().div_f64((epoch - self.done).max(1) as f64);
        let left = match self.epochs - epoch {
            0 => String::new(),
            epochs => format!(", about {} left", rough(per_epoch.mul_f64(epochs as f64))),
        };
        self.say(&format!("epoch {epoch} of {}: {total_uw:.1} uW in all{left}", self.epochs));
    }

    /// How long it took.
    pub(super) fn finish(self) -> Duration {
        self.bar.finish_and_clear();
        self.begin.elapsed()
    }

    /// Bars print nothing where standard error is no terminal.
    fn say(&self, line: &str) {
        if self.bar.is_hidden() {
            eprintln!("  {line}");
        } else {
            self.bar.println(format!("  {line}"));
        }
    }
}

/// To two digits or so.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..100.0 => format!("{seconds:.0} s"),
        ..6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_left_are_rough() {
        let shown = [0.2, 99.4, 100.0, 5999.0, 6000.0].map(|s| rough(Duration::from_secs_f64(s)));
        assert_eq!(shown, ["0 s", "99 s", "2 min", "100 min", "2 h"]);
    }
}
