//! The `skimp` command: what was typed, and which part of the library does it.
//!
//! One file a subcommand: its arguments, and a `run` that calls the library and prints. Progress and
//! messages go to standard error, results to standard output.

mod ablate;
mod bench;
mod build;
mod common;
mod data;
mod demo;
mod evaluate;
mod flash;
mod image;
mod image_sizes;
mod inspect;
mod memory;
mod methods_table;
mod multipliers;
mod optimize;
mod run;

use clap::{Parser, Subcommand};

/// More threads than any machine this runs on has cores for; starting thousands takes longer than the work.
const MAX_THREADS: usize = 512;

/// Approximate multipliers for trained CNNs, from the model to the microcontroller.
///
/// skimp quantizes a trained network to 8 bits, chooses for each layer an approximate multiplier it can
/// live with, compensates the errors without retraining, and writes a flash image that a microcontroller
/// runs bit for bit.
#[derive(Debug, Parser)]
#[command(name = "skimp", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Threads to use; all cores unless given. Results do not depend on it.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole way once, from a trained network to an emulated microcontroller.
    Demo(demo::Args),
    /// Choose multipliers for a network and write the front and the flash image.
    Optimize(optimize::Args),
    /// Measure a network: float, 8-bit, and with one multiplier everywhere.
    Evaluate(evaluate::Args),
    /// Compare compensations: accuracies by multiplier and by steps.
    Ablate(ablate::Args),
    /// Build or inspect flash images.
    #[command(subcommand)]
    Image(image::Command),
    /// Run an image on a board (emulated or real) or on the host.
    Run(run::Args),
    /// Write firmware and image to a real board through probe-rs, or to a file.
    Flash(flash::Args),
    /// Show, import and export multipliers.
    #[command(subcommand)]
    Multipliers(multipliers::Command),
    /// Fetch data sets.
    #[command(subcommand)]
    Data(data::Command),
    /// Measure how fast this machine or a board is at it.
    #[command(subcommand)]
    Bench(bench::Command),
}

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> crate::Result<()> {
        if let Some(threads) = self.threads {
            if !(1..=MAX_THREADS).contains(&threads) {
                let reason = format!("--threads must be from 1 to {MAX_THREADS}, not {threads}");
                return Err(crate::Error::Argument(reason));
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
            pool.map_err(|e| crate::Error::Argument(format!("--threads {threads}: {e}")))?;
        }
        match self.command {
            Command::Demo(args) => demo::run(args),
            Command::Optimize(args) => optimize::run(args),
            Command::Evaluate(args) => evaluate::run(args),
            Command::Ablate(args) => ablate::run(args),
            Command::Image(command) => image::run(command),
            Command::Run(args) => run::run(args),
            Command::Flash(args) => flash::run(args),
            Command::Multipliers(command) => multipliers::run(command),
            Command::Data(command) => data::run(command),
            Command::Bench(command) => bench::run(command),
        }
    }
}
