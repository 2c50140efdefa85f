//! What the steps of kernels cost, by how they were compiled and for which core: `costs.txt`.

use super::work::Work;
use crate::board::description::{Board, Profile};
use crate::board::latency::LayerCost;
use crate::board::timing::Core;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The measured costs.
const MEASURED: &str = include_str!("costs.txt");

/// Instructions and cycles of one step.
pub type StepCost = [f64; 2];

/// The costs of the steps of compiled kernels on a core.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// The Rust target.
    pub target: String,
    /// The profile's name.
    pub profile: String,
    /// What [`Core::argument`] calls the core.
    pub core: String,
    /// By kernel, then step.
    pub steps: BTreeMap<String, BTreeMap<String, StepCost>>,
}

impl Costs {
    /// Whether they are of kernels compiled so.
    pub fn are_of(&self, target: &str, profile: Profile) -> bool {
        self.target == target && self.profile == profile.name()
    }

    /// Instructions and cycles of a layer's work.
    fn of(&self, work: &Work) -> Result<StepCost> {
        let known = self.steps.get(work.kind);
        let mut sum = [0.0; 2];
        for (&step, &count) in &work.steps {
            let cost = known.and_then(|steps| steps.get(step)).ok_or_else(|| {
                Error::Mismatch(format!(
                    "what {}/{step} costs was never measured for {}, profile {}",
                    work.kind, self.target, self.profile
                ))
            })?;
            sum = [0, 1].map(|i| sum[i] + cost[i] * count as f64);
        }
        Ok(sum)
    }

    /// The text form of several.
    pub fn to_text(all: &[Costs]) -> String {
        let mut text = String::new();
        for costs in all {
            text += &format!("set {} {} {}\n", costs.target, costs.profile, costs.core);
            for (kind, steps) in &costs.steps {
                for (step, [insns, cycles]) in steps {
                    text += &format!("{kind} {step} {insns:.4} {cycles:.4}\n");
                }
            }
        }
        text
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Vec<Costs>, String> {
        let mut all: Vec<Costs> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let wrong = || format!("line {}: \"{line}\" is neither a set nor a step's cost", number + 1);
            match *words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["set", target, profile, core] => {
                    let [target, profile, core] = [target, profile, core].map(str::to_owned);
                    all.push(Costs { target, profile, core, steps: BTreeMap::new() });
                }
                [kind, step, insns, cycles] => {
                    let costs = all.last_mut().ok_or_else(wrong)?;
                    let number = |text: &str| text.parse::<f64>().ok().filter(|cost| cost.is_finite());
                    let cost = [number(insns).ok_or_else(wrong)?, number(cycles).ok_or_else(wrong)?];
                    costs.steps.entry(kind.to_owned()).or_default().insert(step.to_owned(), cost);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(all)
    }
}

/// Those that apply to a board.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoardCosts {
    costs: &'static Costs,
    /// Whether cycles are those of the board's core.
    own_core: bool,
}

impl BoardCosts {
    /// The measurements of kernels that are compiled as the board's are.
    pub fn find(board: &Board) -> Result<BoardCosts> {
        static PARSED: OnceLock<Result<Vec<Costs>, String>> = OnceLock::new();
        let all = PARSED.get_or_init(|| Costs::parse(MEASURED)).as_ref().map_err(|reason| {
            Error::Mismatch(format!("the costs of kernels that skimp was built with: {reason}"))
        })?;
        let core = Core::of(board).map(Core::argument);
        let mut same = all.iter().filter(|costs| costs.are_of(board.target, board.profile));
        if let Some(costs) = same.clone().find(|costs| Some(costs.core.as_str()) == core) {
            return Ok(BoardCosts { costs, own_core: true });
        }
        let costs = same.next().ok_or_else(|| {
            Error::Argument(format!(
                "no prediction for the {}: kernels for {} and the profile {} run on no emulated board, so that \
                 they were never measured",
                board.name,
                board.target,
                board.profile.name()
            ))
        })?;
        Ok(BoardCosts { costs, own_core: false })
    }

    /// What a layer's work takes.
    pub fn of(self, work: &Work) -> Result<LayerCost> {
        let [insns, cycles] = self.costs.of(work)?;
        Ok(LayerCost { insns: insns.round() as u64, cycles: self.own_core.then(|| cycles.round() as u64) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::description::BOARDS;

    #[test]
    fn every_emulated_board_has_costs_of_its_own_core() {
        for board in BOARDS {
            match BoardCosts::find(board) {
                Ok(found) => assert!(found.own_core, "{}", board.name),
                Err(error) => {
                    assert_eq!((board.name, board.qemu), ("pico", None));
                    assert!(
                        error.to_string().contains("thumbv6m-none-eabi and the profile release"),
                        "{error}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_text_form_is_read_back() {
        let text = "set a release m4\nadd layer 1.5000 2.0000\npad layer 3.0000 4.0000\nset b small m0\n";
        let costs = Costs::parse(text).unwrap();
        assert_eq!(Costs::to_text(&costs), text);
        assert_eq!(Costs::parse(&format!("# note\n\n{text}")).unwrap(), costs);
        for wrong in ["add layer 1 2", "set a b m4\nadd layer 1 x", "set a b m4\nadd layer 1 inf", "set a"] {
            assert!(Costs::parse(wrong).unwrap_err().contains("neither a set nor"), "{wrong}");
        }
    }
}
