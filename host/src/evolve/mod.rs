//! Breeds approximate multipliers: circuits that get cheaper by random changes within bounds on their errors.
//!
//! Cartesian genetic programming, as the EvoApprox libraries were made (Mrazek, Hrbacek, Vasicek and Sekanina,
//! "EvoApprox8b", DATE 2017; Vasicek and Sekanina, "Evolutionary Approach to Approximate Digital Circuits
//! Design", IEEE Transactions on Evolutionary Computation 19(3), 2015), with the power of
//! [`cost`](crate::multiplier::cost) in place of the number of gates.

mod asked;
mod candidate;
mod checkpoint;
mod climb;
mod genome;
mod goal;
mod harvest;
mod looks;
mod mutate;
mod objective;
mod operands;
mod population;
mod program;

pub use asked::Common;
pub use checkpoint::{Checkpoint, Settings};
pub use climb::{Climb, Outcomes};
pub use genome::Genome;
pub use goal::{Goal, Metric, builtin, ladder};
pub use harvest::{Earlier, Origin, harvest};
pub use objective::{Bounds, Objective};
pub use population::{Member, Population};
