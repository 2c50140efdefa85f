//! All operand pairs in the blocks they are simulated in.

use crate::kernels::{BLOCK_ACTIVATIONS, BLOCK_WEIGHTS, ExactBlock, ExactLanes, LANES, Lanes, PRODUCT_BITS};
use crate::multiplier::TruthTable;
use crate::multiplier::netlist::INPUTS;
use std::sync::LazyLock;

/// Number of blocks.
pub const BLOCKS: usize = TruthTable::ENTRIES / LANES;

/// How many of the lowest bits are the same in all of a block's activations.
const ACTIVATION_LOW_BITS: usize = 8 - BLOCK_ACTIVATIONS.ilog2() as usize;
/// How many of the lowest bits are the same in all of a block's weights.
const WEIGHT_LOW_BITS: usize = 8 - BLOCK_WEIGHTS.ilog2() as usize;

/// Number of groups of weights: those that share their lowest bits.
pub const WEIGHT_GROUPS: usize = 1 << WEIGHT_LOW_BITS;

/// A block: all high bits of both operands with the same low ones, so that any few blocks are a fair sample
/// of large and small operands.
#[derive(Debug, Clone)]
pub struct Block {
    /// Bits of the operands: `a0..a7`, then `w0..w7`.
    pub inputs: [Lanes; INPUTS],
    /// Bits of the right products.
    pub exact: ExactLanes,
    /// The right products.
    pub products: Box<ExactBlock>,
    /// The activations, as bytes, in the order of the lanes.
    pub activations: [u8; BLOCK_ACTIVATIONS],
    /// The weights' low bits, which are all they differ in from those of other blocks.
    pub weight_group: usize,
}

/// The byte of a weight.
pub fn weight(group: usize, index: usize) -> u8 {
    (index << WEIGHT_LOW_BITS | group) as u8
}

/// The blocks, in an order in which the low bits of neighbours have little in common.
pub fn blocks(signed: bool) -> &'static [Block] {
    static BLOCKS_OF: [LazyLock<Vec<Block>>; 2] = [LazyLock::new(|| all(false)), LazyLock::new(|| all(true))];
    &BLOCKS_OF[usize::from(signed)]
}

fn all(signed: bool) -> Vec<Block> {
    // An odd step visits every block.
    (0..BLOCKS).map(|index| block(signed, (index * 45 + 77) % BLOCKS)).collect()
}

fn block(signed: bool, index: usize) -> Block {
    let (activation_low, weight_group) = (index % (1 << ACTIVATION_LOW_BITS), index >> ACTIVATION_LOW_BITS);
    let activations: [u8; BLOCK_ACTIVATIONS] =
        std::array::from_fn(|high| (high << ACTIVATION_LOW_BITS | activation_low) as u8);
    let value = |byte: u8| if signed { i32::from(byte as i8) } else { i32::from(byte) };

    let mut products = Box::new([[0; BLOCK_WEIGHTS]; BLOCK_ACTIVATIONS]);
    for (row, &a) in products.iter_mut().zip(&activations) {
        for (i, product) in row.iter_mut().enumerate() {
            *product = value(a) * value(weight(weight_group, i));
        }
    }
    let operands =
        |lane: usize| (activations[lane % BLOCK_ACTIVATIONS], weight(weight_group, lane / BLOCK_ACTIVATIONS));
    let inputs = std::array::from_fn(|input| {
        lanes(|lane| {
            let (a, w) = operands(lane);
            if input < 8 { a >> input & 1 == 1 } else { w >> (input - 8) & 1 == 1 }
        })
    });
    let bits: [Lanes; PRODUCT_BITS] = std::array::from_fn(|bit| {
        lanes(|lane| products[lane % BLOCK_ACTIVATIONS][lane / BLOCK_ACTIVATIONS] >> bit & 1 == 1)
    });
    let zero = lanes(|lane| {
        let (a, w) = operands(lane);
        a == 0 || w == 0
    });
    Block { inputs, exact: ExactLanes { bits, zero }, products, activations, weight_group }
}

fn lanes(bit: impl Fn(usize) -> bool) -> Lanes {
    Lanes::from_fn(|word| (0..64).fold(0, |bits, i| bits | u64::from(bit(64 * word + i)) << i))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_in_one_block() {
        let mut seen = vec![false; TruthTable::ENTRIES];
        for block in blocks(false) {
            for lane in 0..LANES {
                let bit = |lanes: &Lanes| usize::from(lanes[lane / 64] >> (lane % 64) & 1 == 1);
                let operand =
                    |bits: &[Lanes]| bits.iter().enumerate().map(|(i, l)| bit(l) << i).sum::<usize>();
                let (a, w) = (operand(&block.inputs[..8]), operand(&block.inputs[8..]));
                assert!(!std::mem::replace(&mut seen[a << 8 | w], true), "{a} {w} twice");
                assert_eq!(operand(&block.exact.bits), a * w);
                assert_eq!(bit(&block.exact.zero) == 1, a * w == 0);
                assert_eq!(a, usize::from(block.activations[lane % BLOCK_ACTIVATIONS]));
                assert_eq!(w, usize::from(weight(block.weight_group, lane / BLOCK_ACTIVATIONS)));
            }
        }
        assert!(seen.iter().all(|&seen| seen));
    }
}
