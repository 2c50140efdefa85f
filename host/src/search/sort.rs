//! Domination, fast non-dominated sorting and crowding distance (Deb et al. 2002, sections III-A, III-B
//! and VI-A). Objectives are minimised.

use super::problem::Evaluation;
use std::cmp::Ordering;

/// Constrained domination: `Less` where `a` dominates `b`, `Greater` where `b` dominates `a`, `Equal` where
/// neither does.
///
/// The smaller violation dominates; among equal violations, and so among all feasible evaluations, the one
/// that is nowhere worse and somewhere better.
pub fn compare(a: &Evaluation, b: &Evaluation) -> Ordering {
    match a.violation().total_cmp(&b.violation()) {
        Ordering::Equal => {}
        decided => return decided,
    }
    let (mut better, mut worse) = (false, false);
    for (x, y) in a.objectives().iter().zip(b.objectives()) {
        better |= x < y;
        worse |= x > y;
    }
    match (better, worse) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// Sorts evaluations into fronts, best first, as lists of indices in ascending order. Every index occurs
/// once. O(m n^2) for n evaluations of m objectives.
pub fn fronts(evaluations: &[&Evaluation]) -> Vec<Vec<usize>> {
    let n = evaluations.len();
    let mut dominated_by_me = vec![Vec::new(); n];
    let mut dominators = vec![0usize; n];
    for i in 0..n {
        for j in i + 1..n {
            match compare(evaluations[i], evaluations[j]) {
                Ordering::Less => {
                    dominated_by_me[i].push(j);
                    dominators[j] += 1;
                }
                Ordering::Greater => {
                    dominated_by_me[j].push(i);
                    dominators[i] += 1;
                }
                Ordering::Equal => {}
            }
        }
    }
    let mut fronts = Vec::new();
    let mut front: Vec<usize> = (0..n).filter(|&i| dominators[i] == 0).collect();
    while !front.is_empty() {
        let mut next = Vec::new();
        for &i in &front {
            for &j in &dominated_by_me[i] {
                dominators[j] -= 1;
                if dominators[j] == 0 {
                    next.push(j);
                }
            }
        }
        next.sort_unstable();
        fronts.push(std::mem::replace(&mut front, next));
    }
    fronts
}

/// The crowding distance of each evaluation of one front: the sum over the objectives of the gap between
/// its two neighbours, as a part of the front's whole range. The ends of each objective are infinitely far
/// from anything.
///
/// Of several evaluations with the same objectives only the first has a distance, the others have 0: a
/// second solution at the same place adds nothing to the front.
pub fn crowding_distances(front: &[&Evaluation]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    let mut distinct: Vec<usize> = (0..front.len()).collect();
    distinct.sort_by(|&i, &j| lexicographic(front[i], front[j]));
    distinct.dedup_by(|later, first| lexicographic(front[*later], front[*first]).is_eq());
    let objectives = distinct.first().map_or(0, |&i| front[i].objectives().len());
    for m in 0..objectives {
        let value = |i: usize| front[i].objectives()[m];
        distinct.sort_by(|&i, &j| value(i).total_cmp(&value(j)));
        let (first, last) = (distinct[0], distinct[distinct.len() - 1]);
        let range = value(last) - value(first);
        distances[first] = f64::INFINITY;
        distances[last] = f64::INFINITY;
        if range > 0.0 && range.is_finite() {
            for around in distinct.windows(3) {
                distances[around[1]] += (value(around[2]) - value(around[0])) / range;
            }
        }
    }
    distances
}

/// The best `wanted` evaluations, as indices: whole fronts, and of the first that does not fit the least
/// crowded. Sorting is stable, so of equals the one that came first is among them.
pub fn best(evaluations: &[&Evaluation], wanted: usize) -> Vec<usize> {
    let mut best = Vec::with_capacity(wanted.min(evaluations.len()));
    for mut front in fronts(evaluations) {
        let room = wanted - best.len();
        if front.len() > room {
            let distances = crowding_distances(&front.iter().map(|&i| evaluations[i]).collect::<Vec<_>>());
            let mut order: Vec<usize> = (0..front.len()).collect();
            order.sort_by(|&i, &j| distances[j].total_cmp(&distances[i]));
            front = order[..room].iter().map(|&i| front[i]).collect();
        }
        best.extend(front);
    }
    best
}

/// The evaluations no other dominates, as indices sorted by the objectives, first objective first. Of
/// several with the same objectives the first is kept. Needs no memory for the pairs, so it is fit for
/// everything a search ever evaluated.
pub fn non_dominated(evaluations: &[&Evaluation]) -> Vec<usize> {
    let least = evaluations.iter().map(|e| e.violation()).fold(f64::INFINITY, f64::min);
    let mut order: Vec<usize> =
        (0..evaluations.len()).filter(|&i| evaluations[i].violation() == least).collect();
    order.sort_by(|&i, &j| lexicographic(evaluations[i], evaluations[j]));
    let mut front: Vec<usize> = Vec::new();
    for i in order {
        let point = evaluations[i].objectives();
        // In this order nothing is dominated by a later point. With two objectives the last point of the
        // front has the lowest second objective so far, and it alone decides.
        let rivals = if point.len() == 2 { &front[front.len().saturating_sub(1)..] } else { &front[..] };
        let covered = |&j: &usize| evaluations[j].objectives().iter().zip(point).all(|(x, y)| x <= y);
        if !rivals.iter().any(covered) {
            front.push(i);
        }
    }
    front
}

/// Orders evaluations by their first objective, ties by the second, and so on.
fn lexicographic(a: &Evaluation, b: &Evaluation) -> Ordering {
    let by_value = |(x, y): (&f64, &f64)| x.total_cmp(y);
    let mut orders = a.objectives().iter().zip(b.objectives()).map(by_value);
    orders.find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: &[&[f64]]) -> Vec<Evaluation> {
        values.iter().map(|v| Evaluation::new(v.to_vec())).collect()
    }

    fn refs(points: &[Evaluation]) -> Vec<&Evaluation> {
        points.iter().collect()
    }

    #[test]
    fn sorts_into_fronts() {
        let p = points(&[&[2.0, 2.0], &[1.0, 3.0], &[3.0, 3.0], &[3.0, 1.0], &[2.0, 4.0], &[4.0, 4.0]]);
        assert_eq!(fronts(&refs(&p)), [vec![0, 1, 3], vec![2, 4], vec![5]]);
        assert!(fronts(&[]).is_empty());
    }

    #[test]
    fn nan_is_worst() {
        let p = points(&[&[f64::NAN, 1.0], &[1e300, 1.0], &[f64::NAN, f64::NAN]]);
        assert_eq!(fronts(&refs(&p)), [vec![1], vec![0], vec![2]]);
        assert_eq!(non_dominated(&refs(&p)), [1]);
    }

    #[test]
    fn feasible_dominates_infeasible() {
        let p = [
            Evaluation::constrained(vec![0.0, 0.0], 2.0),
            Evaluation::constrained(vec![0.0, 0.0], f64::NAN),
            Evaluation::new(vec![9.0, 9.0]),
            Evaluation::constrained(vec![5.0, 5.0], 1.0),
            Evaluation::constrained(vec![4.0, 5.0], 1.0),
        ];
        assert_eq!(fronts(&refs(&p)), [vec![2], vec![4], vec![3], vec![0], vec![1]]);
        assert_eq!(non_dominated(&refs(&p)), [2]);
        assert_eq!(non_dominated(&refs(&p[3..])), [1]);
        assert_eq!(non_dominated(&refs(&p[1..2])), [0], "infinitely infeasible is still a point");
    }

    #[test]
    fn crowding_by_hand() {
        let p = points(&[&[0.0, 4.0], &[1.0, 2.0], &[4.0, 0.0], &[1.0, 2.0], &[3.0, 1.0]]);
        let d = crowding_distances(&refs(&p));
        assert_eq!(d, [f64::INFINITY, 3.0 / 4.0 + 3.0 / 4.0, f64::INFINITY, 0.0, 3.0 / 4.0 + 2.0 / 4.0]);
    }

    #[test]
    fn crowding_survives_infinities() {
        let p = points(&[&[0.0, f64::INFINITY], &[1.0, 2.0], &[2.0, f64::NEG_INFINITY]]);
        assert!(crowding_distances(&refs(&p)).iter().all(|d| !d.is_nan()));
    }

    proptest! {
        #[test]
        fn all_three_agree_with_the_definition(
            values in (1usize..4).prop_flat_map(|m| prop::collection::vec(prop::collection::vec(0u8..5, m), 1..40))
        ) {
            let p: Vec<Evaluation> =
                values.iter().map(|v| Evaluation::new(v.iter().map(|&x| x.into()).collect())).collect();
            let p = refs(&p);
            let free = |i: usize| !p.iter().any(|q| compare(q, p[i]).is_lt());
            let expected: Vec<usize> = (0..p.len()).filter(|&i| free(i)).collect();
            let sorted = fronts(&p);
            prop_assert_eq!(&sorted[0], &expected);
            prop_assert_eq!(sorted.iter().map(Vec::len).sum::<usize>(), p.len());
            for pair in sorted.windows(2) {
                for &j in &pair[1] {
                    prop_assert!(pair[0].iter().any(|&i| compare(p[i], p[j]).is_lt()));
                }
            }
            let mut kept = non_dominated(&p);
            prop_assert!(kept.windows(2).all(|w| lexicographic(p[w[0]], p[w[1]]).is_lt()));
            kept.sort_unstable();
            let first = |&i: &usize| !(0..i).any(|j| p[j] == p[i]);
            prop_assert_eq!(kept, expected.iter().copied().filter(first).collect::<Vec<_>>());
        }
    }
}
