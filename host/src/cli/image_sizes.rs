//! `skimp image sizes`: what each form of an image costs, and which boards have room for it.

use super::build::{Assigned, Chosen, with_network};
use super::common::{self, MultiplierArgs, NetworkArgs, Spinner};
use crate::board::description::{BOARDS, Board};
use crate::compensate::{Compensator, Steps};
use crate::error::{Error, Result};
use crate::image::{ByActivation, Footprint, OperatingPoint, Options, TableForm, build_points};
use crate::report::{Align, text_table};
use serde::Serialize;

/// Bounds on the rows of tables that are tried, if tables have more.
const MAX_CODES: [usize; 4] = [128, 64, 32, 16];

/// State the flash and the memory of a network's image in every form, before one is built.
///
/// Nothing is written. The network is compensated for the multipliers, and again for each bound on weight codes;
/// `skimp evaluate --max-weight-codes` says what that does to accuracy.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    /// Multipliers of the layers, as `image build` takes them.
    #[arg(long, value_delimiter = ',', required = true, value_name = "NAME,NAME,...")]
    assignment: Vec<String>,
    /// Copy tables into RAM as long as the arena stays within so many bytes.
    #[arg(long, value_name = "BYTES")]
    copy_tables_within: Option<usize>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    model: String,
    assignment: Vec<String>,
    forms: Vec<Form>,
}

/// One form of the image.
#[derive(Serialize)]
struct Form {
    /// The options of `image build` that ask for it.
    options: String,
    #[serde(flatten)]
    footprint: Footprint,
    boards: Vec<Room>,
}

/// Whether a board has room for it.
#[derive(Serialize)]
struct Room {
    board: &'static str,
    /// Flash that is left for images; negative if it does not suffice.
    flash_left_bytes: i64,
    /// RAM that is left of what the firmware leaves; negative if it does not suffice.
    ram_left_bytes: i64,
    fits: bool,
}

impl Room {
    fn of(board: &Board, footprint: &Footprint) -> Room {
        let left = |there_is: u32, needed: usize| i64::from(there_is) - needed as i64;
        let flash_left_bytes = left(board.image_capacity_bytes, footprint.flash_bytes);
        let ram_left_bytes = left(board.memory_bytes, footprint.memory_bytes);
        let fits = flash_left_bytes >= 0 && ram_left_bytes >= 0;
        Room { board: board.name, flash_left_bytes, ram_left_bytes, fits }
    }

    fn describe(&self) -> String {
        let lacking = [(self.flash_left_bytes, "flash"), (self.ram_left_bytes, "RAM")];
        let lacking = lacking.iter().filter(|(left, _)| *left < 0);
        let lacking: Vec<String> = lacking.map(|(left, what)| format!("lacks {} of {what}", -left)).collect();
        if lacking.is_empty() { "fits".to_owned() } else { lacking.join(", ") }
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let NetworkArgs { model, how } = &args.network;
    let chosen = Chosen::only("--assignment", &args.assignment);
    let given = args.multipliers.steps()?;
    let sizes = |compensator: &Compensator, assigned: &[Assigned]| {
        let [assigned] = assigned else { unreachable!("one point was asked for") };
        let spinner = Spinner::start("compensating");
        let mut forms = Vec::new();
        let mut add = |steps: Steps| -> Result<usize> {
            let of = steps.max_codes.map_or(String::new(), |count| format!(" with {count} weight codes"));
            spinner.say(&format!("compensating{of}"));
            let convs = compensator.with_steps(steps)?.compensate(&assigned.assignment)?;
            let point = OperatingPoint { name: "", convs: &convs, multipliers: &assigned.names };
            let before = forms.len();
            for (table_form, tables_only) in [
                (TableForm::Smallest, false),
                (TableForm::Compact, false),
                (TableForm::Fastest, false),
                (TableForm::Smallest, true),
            ] {
                // Layers that need no table are not restricted.
                if tables_only && steps.max_codes.is_some() {
                    continue;
                }
                let copy_tables_within_bytes = args.copy_tables_within;
                let by_activation = ByActivation::default();
                let options = Options { table_form, by_activation, tables_only, copy_tables_within_bytes };
                let image = build_points(compensator.network(), &[point], &options)?;
                let footprint = Footprint::of(&image)?;
                let boards = BOARDS.iter().map(|board| Room::of(board, &footprint)).collect();
                forms.push(Form { options: written(steps, &options), footprint, boards });
            }
            Ok(forms[before].footprint.most_rows)
        };
        let rows = add(given)?;
        for count in MAX_CODES.into_iter().filter(|&count| count < rows) {
            add(given.with_max_codes(count).map_err(Error::Argument)?)?;
        }
        Ok(Report { model: model.clone(), assignment: assigned.names.clone(), forms })
    };
    let (report, _) = with_network(model, how, &args.multipliers, &chosen, sizes)?;
    if args.json {
        return common::print_json(&report);
    }
    common::print(format_args!("{}", table(&report)))
}

/// The options of a form as they are typed.
fn written(steps: Steps, options: &Options) -> String {
    let form = match options.table_form {
        _ if options.tables_only => "--lookup-only",
        TableForm::Smallest => "--tables smallest",
        TableForm::Compact => "--tables compact",
        TableForm::Fastest => "--tables fastest",
    };
    let codes = steps.max_codes.map_or(String::new(), |count| format!(" --max-weight-codes {count}"));
    format!("{form}{codes}")
}

fn table(report: &Report) -> String {
    let mut columns = vec![("form", Align::Left)];
    let figures = ["flash", "description", "weights", "biases etc.", "tables", "rows", "arena", "RAM"];
    columns.extend(figures.map(|figure| (figure, Align::Right)));
    columns.extend(BOARDS.iter().map(|board| (board.name, Align::Left)));
    let row = |form: &Form| {
        let f = &form.footprint;
        let figures = [
            f.flash_bytes,
            f.description_bytes,
            f.weight_bytes,
            f.other_bytes,
            f.table_bytes,
            f.table_rows,
            f.arena_bytes,
            f.memory_bytes,
        ];
        let mut cells = vec![form.options.clone()];
        cells.extend(figures.map(|figure| figure.to_string()));
        cells.extend(form.boards.iter().map(Room::describe));
        cells
    };
    text_table(&columns, &report.forms.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_say_what_they_lack() {
        let board = &BOARDS[1];
        let (flash, memory) = (board.image_capacity_bytes as usize, board.memory_bytes as usize);
        let footprint = |flash_bytes, memory_bytes| Footprint {
            flash_bytes,
            description_bytes: 0,
            weight_bytes: 0,
            other_bytes: 0,
            table_bytes: 0,
            table_rows: 0,
            most_rows: 0,
            arena_bytes: 0,
            memory_bytes,
        };
        let says = |flash, memory| {
            let room = Room::of(board, &footprint(flash, memory));
            assert_eq!(room.fits, room.describe() == "fits");
            room.describe()
        };
        assert_eq!(says(flash, memory), "fits");
        assert_eq!(says(flash + 1, memory), "lacks 1 of flash");
        assert_eq!(says(flash, memory + 9), "lacks 9 of RAM");
        assert_eq!(says(flash + 70, memory + 8), "lacks 70 of flash, lacks 8 of RAM");
    }
}
