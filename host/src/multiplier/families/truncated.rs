//! Truncated arrays that make up for the columns left out.

use super::array::{Edge, add_rows};
use super::partial_products::{constant, is_negative, pairs, partial_product};
use crate::multiplier::netlist::{Builder, Netlist, Wire};

/// What the partial products of the `columns` lowest columns come to on average over all operand pairs,
/// rounded to an integer: every one is 1 for a quarter of the pairs.
///
/// Schulte and Swartzlander round to the lowest column kept, as their product ends there. Here the low
/// product bits are there anyway, and constant ones cost no gate.
pub(super) fn mean_left_out(signed: bool, columns: usize) -> i32 {
    let left_out = pairs().filter(|&(i, j)| i + j < columns);
    let sum: i32 =
        left_out.map(|(i, j)| if is_negative(signed, i, j) { -(1 << (i + j)) } else { 1 << (i + j) }).sum();
    (sum + 2).div_euclid(4)
}

/// Truncation with correction constant.
pub(super) fn constant_corrected(signed: bool, columns: usize) -> Netlist {
    let mut builder = Builder::new();
    let keeps = |i: usize, j: usize| i + j >= columns;
    let constant = constant(signed, keeps).wrapping_add(mean_left_out(signed, columns) as u16);
    let product = add_rows(&mut builder, signed, keeps, constant, None);
    builder.finish(signed, product)
}

/// Truncation with variable correction: the partial products of the highest column left out are added in
/// the one above, where they stand for the carries.
pub(super) fn variable_corrected(signed: bool, columns: usize) -> Netlist {
    let mut builder = Builder::new();
    let keeps = |i: usize, j: usize| i + j >= columns;
    let mut constant = constant(signed, keeps);
    let mut entering = [Wire::ZERO; 8];
    for (i, j) in pairs().filter(|&(i, j)| i + j + 1 == columns) {
        entering[j] = partial_product(&mut builder, signed, i, j);
        if is_negative(signed, i, j) {
            constant = constant.wrapping_sub(1u16.checked_shl(columns as u32).unwrap_or(0));
        }
    }
    let product = add_rows(&mut builder, signed, keeps, constant, Some(Edge { column: columns, entering }));
    builder.finish(signed, product)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::families::tests::{equals, partial, sum_of_partial_products};
    use crate::multiplier::{Design, Statistics};

    #[test]
    fn corrected_truncations_equal_their_models() {
        for signed in [false, true] {
            for columns in 0..=16 {
                let kept = sum_of_partial_products(signed, |i, j| i + j >= columns);
                let mean = mean_left_out(signed, columns);
                equals(Design::ConstantCorrected { columns }, signed, |a, w| kept(a, w) + mean);
                equals(Design::VariableCorrected { columns }, signed, |a, w| {
                    let edge = (0..8).filter(|&i| (columns as i32 - 1 - 7..columns as i32).contains(&i));
                    let moved = |i: i32| 2 * partial(signed, a, w, i as usize, columns - 1 - i as usize);
                    kept(a, w) + edge.map(moved).sum::<i32>()
                });
            }
        }
    }

    #[test]
    fn the_constant_takes_the_bias_away() {
        for signed in [false, true] {
            for columns in 1..=12 {
                let of = |design: Design| Statistics::of(&design.netlist(signed).simulate().table);
                let corrected = of(Design::ConstantCorrected { columns });
                assert!(corrected.mean_error.abs() <= 0.5, "{columns}: {}", corrected.mean_error);
                assert!(corrected.mse <= of(Design::Truncated { columns }).mse);
            }
        }
        // Columns 0..=4: (1 + 2*2 + 3*4 + 4*8 + 5*16) / 4 = 32.25.
        assert_eq!(mean_left_out(false, 5), 32);
    }

    #[test]
    fn variable_correction_keeps_unsigned_zeros_and_follows_the_operands() {
        for columns in 2..=10 {
            let of = |design: Design| Statistics::of(&design.netlist(false).simulate().table);
            let corrected = of(Design::VariableCorrected { columns });
            assert!(corrected.zero_preserving);
            assert!(corrected.mse < of(Design::Truncated { columns }).mse, "{columns}");
        }
    }
}
