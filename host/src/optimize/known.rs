//! What a search has measured.

use super::evaluator::Measured;
use crate::multiplier::Choice;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Everything that was measured, in the order in which it was.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Known {
    pub measured: Vec<(Vec<Choice>, Measured)>,
    /// How many of these were measured before there were genomes.
    pub probes: usize,
    /// Genomes whose assignment another genome had before.
    pub same_assignment: usize,
    /// Where in `measured` an assignment is. Only looked up, never iterated: its order is random.
    #[serde(skip)]
    places: HashMap<Vec<Choice>, usize>,
}

impl Known {
    /// Makes what is not stored.
    pub(super) fn index(&mut self) {
        let all = self.measured.iter().enumerate();
        self.places = all.map(|(place, (assignment, _))| (assignment.clone(), place)).collect();
    }

    /// How many assignments were measured.
    pub(super) fn len(&self) -> usize {
        self.measured.len()
    }

    pub(super) fn get(&self, assignment: &[Choice]) -> Option<&Measured> {
        self.places.get(assignment).map(|&place| &self.measured[place].1)
    }

    pub(super) fn put(&mut self, assignment: Vec<Choice>, measured: Measured) {
        self.places.insert(assignment.clone(), self.measured.len());
        self.measured.push((assignment, measured));
    }
}
