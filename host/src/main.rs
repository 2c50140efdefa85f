//! The `skimp` command; see [`skimp::cli`].

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match skimp::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
