//! Which of several multipliers beat which, by two figures such as power and an error.

/// What becomes of those that are alike in both figures and beaten by none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// All of them stay.
    All,
    /// The first stays.
    First,
}

/// Those of `all` that no other one dominates: none has at most both of its `figures`, less being better, and
/// less of one. They stay in their order.
///
/// Figures are numbers; what has none in one of the places can't be judged and is for the caller to leave out.
pub fn non_dominated<T>(
    all: impl IntoIterator<Item = T>,
    figures: impl Fn(&T) -> [f64; 2],
    ties: Ties,
) -> Vec<T> {
    let mut all: Vec<(T, [f64; 2], bool)> = all
        .into_iter()
        .map(|one| {
            let figures = figures(&one);
            (one, figures, false)
        })
        .collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    // Stable: of those alike the first comes first.
    order.sort_by(|&i, &j| {
        let ([x, y], [u, v]) = (all[i].1, all[j].1);
        x.total_cmp(&u).then(y.total_cmp(&v))
    });
    // In this order nothing is dominated by a later one, and the last that stayed has the least second figure.
    let mut last: Option<[f64; 2]> = None;
    for index in order {
        let (_, figures, stays) = &mut all[index];
        *stays = last.is_none_or(|last| figures[1] < last[1] || ties == Ties::All && *figures == last);
        if *stays {
            last = Some(*figures);
        }
    }
    all.into_iter().filter(|(.., stays)| *stays).map(|(one, ..)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn those_alike_stay_as_told() {
        let all = [[1.0, 0.0], [0.5, 2.0], [0.9, 1.0], [0.5, 2.0], [0.9, 3.0], [0.5, 2.5], [1.0, 0.5]];
        let kept = |ties| non_dominated(0..all.len(), |&i| all[i], ties);
        assert_eq!(kept(Ties::All), [0, 1, 2, 3]);
        assert_eq!(kept(Ties::First), [0, 1, 2]);
        assert!(non_dominated([0; 0], |_| [0.0, 0.0], Ties::All).is_empty());
    }

    proptest! {
        #[test]
        fn what_stays_is_what_the_definition_says(all in prop::collection::vec([0u8..6, 0u8..6], 0..40)) {
            let figures = |&i: &usize| all[i].map(f64::from);
            let beats = |x: [u8; 2], y: [u8; 2]| x[0] <= y[0] && x[1] <= y[1] && x != y;
            let unbeaten = |&i: &usize| !all.iter().any(|&other| beats(other, all[i]));
            let expected: Vec<usize> = (0..all.len()).filter(unbeaten).collect();
            prop_assert_eq!(&non_dominated(0..all.len(), figures, Ties::All), &expected);
            let first = |&i: &usize| !all[..i].contains(&all[i]);
            let firsts: Vec<usize> = expected.into_iter().filter(first).collect();
            prop_assert_eq!(non_dominated(0..all.len(), figures, Ties::First), firsts);
        }
    }
}
