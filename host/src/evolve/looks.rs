//! Giving up candidates on what the first blocks of operand pairs say.

use super::objective::{Figures, Objective, Tally};
use super::operands::BLOCKS;

/// After how many blocks a candidate's chances are looked at, and how much of its difference from the parent
/// it is expected to keep.
const LOOKS: [(usize, f64); 11] = [
    (1, 0.3),
    (2, 0.4),
    (4, 0.5),
    (8, 0.6),
    (16, 0.8),
    (32, 0.9),
    (48, 0.95),
    (64, 0.95),
    (80, 0.95),
    (96, 1.0),
    (112, 1.0),
];

/// A circuit's figures at every look, and on all blocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    at_looks: [Figures; LOOKS.len()],
    in_all: Figures,
}

/// The looks at one candidate, in turn.
pub struct Looks<'p> {
    objective: &'p Objective,
    parent: Option<&'p Record>,
    next: usize,
    record: Record,
}

impl<'p> Looks<'p> {
    /// At a candidate of `parent`; at a circuit of its own if there is none.
    pub fn new(objective: &'p Objective, parent: Option<&'p Record>) -> Looks<'p> {
        Looks { objective, parent, next: 0, record: Record::default() }
    }

    /// What was seen, once all blocks are counted in `tally`.
    pub fn record(self, tally: &Tally) -> Record {
        Record { in_all: self.objective.figures(tally, BLOCKS), ..self.record }
    }

    /// Whether there is hope after `blocks` blocks, the only ones counted.
    pub fn promise(&mut self, tally: &Tally, blocks: usize) -> bool {
        let Some(&(at, trust)) = LOOKS.get(self.next).filter(|(at, _)| *at == blocks) else { return true };
        let own = self.objective.figures(tally, at);
        self.record.at_looks[self.next] = own;
        let hope = self.parent.is_none_or(|parent| {
            self.objective.promises(&own, &parent.at_looks[self.next], &parent.in_all, trust)
        });
        self.next += 1;
        hope
    }
}
