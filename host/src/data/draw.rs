//! Calibration and selection images out of training images.

use super::DataSet;
use crate::error::{Error, Result};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Seed of the draw. Results quoted anywhere depend on it: do not change it.
const SEED: u64 = 0x736b_696d_705f_3130;

/// How many of `count` training images can be drawn for calibration and for selection.
pub(super) fn halves(count: usize) -> (usize, usize) {
    (count / 2, count - count / 2)
}

/// Draws `calibration` and `selection` images from `train` without putting one in both. Either list starts
/// the same however long it is, and does not depend on the other's length.
pub(super) fn draw(train: &DataSet, calibration: usize, selection: usize) -> Result<(DataSet, DataSet)> {
    let order = permutation(train.len());
    let (first, second) = order.split_at(halves(train.len()).0);
    for (count, half) in [(calibration, first), (selection, second)] {
        if count > half.len() {
            return Err(Error::Mismatch(format!(
                "{}: {count} images were asked for; up to {} of the training images are for calibration and \
                 up to {} for selection",
                train.name,
                first.len(),
                second.len()
            )));
        }
    }
    Ok((train.pick(&first[..calibration]), train.pick(&second[..selection])))
}

/// The numbers below `count` in a random order that never changes.
fn permutation(count: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        // Written out instead of a library's shuffle, whose stream may change. The bias of the product is
        // below 2^-30 for any set that fits in memory.
        let j = (u128::from(rng.next_u64()) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Shape;

    #[test]
    fn splits_are_disjoint_and_stable() {
        let labels: Vec<u8> = (0..101).collect();
        let train = DataSet::new("train", labels.clone(), Shape::new(1, 1, 1), labels, 101).unwrap();
        let (calibration, selection) = draw(&train, 50, 51).unwrap();
        let mut all = [calibration.labels.clone(), selection.labels.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, train.labels);
        let (few, none) = draw(&train, 5, 0).unwrap();
        assert_eq!((few.labels.as_slice(), none.len()), (&calibration.labels[..5], 0));
        assert!(draw(&train, 51, 0).unwrap_err().to_string().contains("up to 50"));
        assert_eq!(permutation(10), PINNED);
    }

    /// Pinned, since quoted results depend on it.
    const PINNED: [usize; 10] = [6, 4, 0, 2, 5, 7, 3, 9, 1, 8];
}
