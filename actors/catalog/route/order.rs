//! Which target comes first. Pure: readiness and randomness are handed in.

use crate::affinity::Lot;

/// What decides a target's place.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Whether it can serve now, as far as is known.
    pub ready: bool,
    /// Lower ones go first.
    pub priority: u32,
    /// Its share among those of its priority.
    pub weight: u32,
    pub lot: Lot,
}

/// The places of `standings`, best first: who is ready, then by priority, then by chance.
///
/// The chance is weighted, without replacement, and depends on nothing but `seed`; with a conversation's
/// seed it is weighted rendezvous hashing, so that a target that comes or goes moves only the
/// conversations that prefer it. Without a seed the heavier go first.
#[must_use]
pub fn order(standings: &[Standing], seed: Option<u64>) -> Vec<usize> {
    let mut keyed: Vec<_> = standings
        .iter()
        .map(|standing| (!standing.ready, standing.priority, lateness(standing, seed)))
        .enumerate()
        .collect();
    keyed.sort_by(|(_, a), (_, b)| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    keyed.into_iter().map(|(place, _)| place).collect()
}

/// When a clock that ticks `weight` times as often as another rings for the first time: the order of the
/// first rings is the weighted order.
fn lateness(standing: &Standing, seed: Option<u64>) -> f64 {
    let weight = f64::from(standing.weight.max(1));
    match seed {
        Some(seed) => -standing.lot.draw(seed).ln() / weight,
        None => -weight,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::affinity::{Affinity, mix};

    fn standing(name: usize, priority: u32, weight: u32) -> Standing {
        Standing {
            ready: true,
            priority,
            weight,
            lot: Lot::of(&format!("provider-{name}/model")),
        }
    }

    fn weighted(weights: &[u32]) -> Vec<Standing> {
        let each = weights.iter().enumerate();
        each.map(|(name, weight)| standing(name, 0, *weight))
            .collect()
    }

    fn first(standings: &[Standing], seed: u64) -> usize {
        order(standings, Some(seed))[0]
    }

    #[test]
    fn who_is_ready_goes_before_any_priority() {
        let mut standings = [
            standing(0, 0, 1),
            standing(1, 5, 1),
            standing(2, 1, 1),
            standing(3, 1, 9),
        ];
        assert_eq!(order(&standings, None), [0, 3, 2, 1]);
        standings[0].ready = false;
        assert_eq!(order(&standings, None), [3, 2, 1, 0]);
        standings.iter_mut().for_each(|one| one.ready = false);
        assert_eq!(order(&standings, None), [0, 3, 2, 1], "nothing is dropped");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn shares_follow_weights(weights in prop::collection::vec(1_u32..=10, 1..6), start: u64) {
            let standings = weighted(&weights);
            let draws = 20_000_u64;
            let mut firsts = vec![0_u32; weights.len()];
            for draw in 0..draws {
                firsts[first(&standings, start.wrapping_add(draw))] += 1;
            }
            let total: u32 = weights.iter().sum();
            for (weight, count) in weights.iter().zip(&firsts) {
                let share = f64::from(*count) / draws as f64;
                let wanted = f64::from(*weight) / f64::from(total);
                prop_assert!((share - wanted).abs() < 0.02, "{weights:?} came as {firsts:?}");
            }
        }

        #[test]
        fn the_second_is_drawn_as_if_the_first_were_not_there(start: u64) {
            let standings = weighted(&[8, 3, 1]);
            let mut seconds = [0_u32; 3];
            for draw in 0..20_000_u64 {
                let order = order(&standings, Some(start.wrapping_add(draw)));
                if order[0] == 0 {
                    seconds[order[1]] += 1;
                }
            }
            let share = f64::from(seconds[1]) / f64::from(seconds[1] + seconds[2]);
            prop_assert!((share - 0.75).abs() < 0.03, "{seconds:?}");
        }

        #[test]
        fn a_target_that_goes_moves_only_its_own(
            weights in prop::collection::vec(1_u32..=10, 2..8),
            gone: prop::sample::Index,
            start: u64,
        ) {
            let all = weighted(&weights);
            let gone = gone.index(all.len());
            let mut rest = all.clone();
            rest.remove(gone);
            for conversation in 0..500 {
                let key = mix(start.wrapping_add(conversation)).to_string();
                let seed = Affinity::of("app", &key).seed();
                let before = order(&all, Some(seed));
                prop_assert_eq!(&before, &order(&all, Some(seed)), "the same each time");
                let kept = before.into_iter().filter(|place| *place != gone);
                let kept: Vec<_> = kept.map(|place| place - usize::from(place > gone)).collect();
                prop_assert_eq!(kept, order(&rest, Some(seed)), "the others stay in order");
            }
        }

        #[test]
        fn one_that_cannot_serve_moves_only_its_own_and_gets_them_back(start: u64) {
            let all = weighted(&[3, 2, 1]);
            let mut less = all.clone();
            less[0].ready = false;
            for conversation in 0..500 {
                let seed = mix(start.wrapping_add(conversation));
                let before = order(&all, Some(seed));
                let others: Vec<_> = before.iter().copied().filter(|place| *place != 0).collect();
                let during = order(&less, Some(seed));
                prop_assert_eq!(&during[..2], &others[..]);
                prop_assert_eq!(during[2], 0);
            }
        }
    }
}
