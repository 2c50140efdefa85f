//! The hypervolume of a front: the one measure of quality that needs no known optimum.

/// The exact volume dominated by `points` within the box that ends at `reference`, all objectives minimised.
///
/// Points that are not better than the reference in every objective, that are not finite, or that have
/// another number of objectives add nothing. Two objectives take O(n log n); more go by exclusive
/// contributions (While, Bradstreet, Barone, "A fast way of calculating exact hypervolumes", IEEE Trans.
/// Evolutionary Computation 16(1), 2012), exponential in the worst case and quick for hundreds of points
/// of three objectives.
pub fn hypervolume<V: AsRef<[f64]>>(points: &[V], reference: &[f64]) -> f64 {
    let inside = |p: &&[f64]| {
        p.len() == reference.len() && p.iter().zip(reference).all(|(x, r)| x.is_finite() && x < r)
    };
    let points: Vec<Vec<f64>> =
        points.iter().map(AsRef::as_ref).filter(inside).map(<[f64]>::to_vec).collect();
    if reference.is_empty() { 0.0 } else { volume(non_dominated(points), reference) }
}

/// The volume of points that do not dominate each other.
fn volume(mut points: Vec<Vec<f64>>, reference: &[f64]) -> f64 {
    if reference.len() <= 2 {
        return area(points, reference);
    }
    // Worst last objective first: the limit sets below then shrink fastest.
    let last = reference.len() - 1;
    points.sort_by(|a, b| b[last].total_cmp(&a[last]));
    let mut sum = 0.0;
    for (k, point) in points.iter().enumerate() {
        // What `point` dominates alone, beside the points after it. All of those are at least as good in
        // the last objective, so in the limit set it is the same for all and can be left out.
        let limit = |q: &Vec<f64>| q[..last].iter().zip(point).map(|(x, y)| x.max(*y)).collect();
        let shared = non_dominated(points[k + 1..].iter().map(limit).collect());
        let whole: f64 = point[..last].iter().zip(reference).map(|(x, r)| r - x).product();
        sum += (whole - volume(shared, &reference[..last])) * (reference[last] - point[last]);
    }
    sum
}

/// [`volume`] in one or two dimensions.
fn area(mut points: Vec<Vec<f64>>, reference: &[f64]) -> f64 {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let &[width, height] = reference else {
        return points.first().map_or(0.0, |p| reference[0] - p[0]);
    };
    let mut floor = height;
    let mut sum = 0.0;
    for point in points {
        sum += (width - point[0]) * (floor - point[1]).max(0.0);
        floor = floor.min(point[1]);
    }
    sum
}

fn non_dominated(mut points: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    points.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    let mut front: Vec<Vec<f64>> = Vec::new();
    for point in points {
        if !front.iter().any(|q| q.iter().zip(&point).all(|(x, y)| x <= y)) {
            front.push(point);
        }
    }
    front
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        assert_eq!(hypervolume(&[[1.0, 3.0], [2.0, 1.0], [2.0, 2.0], [5.0, 0.0]], &[4.0, 4.0]), 7.0);
        assert_eq!(hypervolume(&[[1.0], [0.5]], &[2.0]), 1.5);
        assert_eq!(hypervolume(&[[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]], &[2.0, 2.0, 2.0]), 5.0);
        assert_eq!(hypervolume(&[[0.0; 4]], &[2.0; 4]), 16.0);
    }

    #[test]
    fn useless_points_add_nothing() {
        let points = [vec![f64::NAN, 0.0], vec![f64::NEG_INFINITY, 0.0], vec![0.0], vec![1.0, 0.0]];
        assert_eq!(hypervolume(&points, &[1.0, 1.0]), 0.0);
        assert_eq!(hypervolume(&points[..0], &[1.0, 1.0]), 0.0);
        assert_eq!(hypervolume(&[[]], &[]), 0.0);
    }

    proptest! {
        /// On whole numbers the volume is the number of unit cells some point dominates.
        #[test]
        fn counts_cells(
            points in (2usize..5).prop_flat_map(|m| prop::collection::vec(prop::collection::vec(0u8..5, m), 1..12))
        ) {
            let m = points[0].len();
            let cells = (0..4u32.pow(m as u32)).filter(|&cell| {
                points.iter().any(|p| (0..m).all(|i| u32::from(p[i]) <= cell / 4u32.pow(i as u32) % 4))
            });
            let points: Vec<Vec<f64>> =
                points.iter().map(|p| p.iter().map(|&x| f64::from(x)).collect()).collect();
            prop_assert_eq!(hypervolume(&points, &vec![4.0; m]), cells.count() as f64);
        }
    }
}
