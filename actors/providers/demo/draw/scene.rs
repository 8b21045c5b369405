//! What a picture shows: the prompt's wishes steer it, dice decide the rest.

use super::{
    colour::Palette,
    noise::Dice,
    words::{Wish, Wishes},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    Day,
    Dusk,
    Night,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Land {
    Hills,
    Mountains,
    Forest,
    Sea,
    City,
    Desert,
}

/// What stands, sails or flies in front of the land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Boat,
    Cat,
    Birds,
    House,
    Balloon,
}

/// A picture before it is painted. Positions are shares of the width or height.
#[derive(Debug, Clone)]
pub struct Scene {
    pub time: Time,
    pub land: Land,
    pub subject: Option<Subject>,
    pub palette: Palette,
    /// How much of the sky is cloud, 0..1.
    pub clouds: f32,
    /// How much haze lies between the ranges, 0..1.
    pub mist: f32,
    /// Whether snow lies on the land.
    pub snow: bool,
    /// Whether it snows.
    pub snowfall: bool,
    /// Whether mountains rise behind a sea.
    pub peaks: bool,
    pub aurora: bool,
    /// Where the sun or moon stands, and its radius as a share of the shorter side.
    pub orb: (f32, f32, f32),
    pub horizon: f32,
    /// For the painters' noise.
    pub seed: u32,
}

impl Scene {
    /// The scene of a prompt and a seed.
    pub fn imagine(prompt: &str, seed: u64) -> Self {
        let mut dice = Dice::of(prompt, seed);
        let dice = &mut dice;
        let wishes = Wishes::of(prompt);
        let snowfall = wishes.has(Wish::Snowfall);
        let snow = snowfall || wishes.has(Wish::Snow);
        let time = time(&wishes, dice);
        let land = land(&wishes, snow, dice);
        let horizon = match land {
            Land::Sea => dice.between(0.56, 0.66),
            _ => dice.between(0.60, 0.70),
        };
        Self {
            time,
            land,
            subject: wishes.subject().or_else(|| subject(land, time, dice)),
            palette: Palette::choose(time, land, wishes.tint(), dice),
            clouds: match (wishes.has(Wish::Clouds), time) {
                (true, _) => 0.75,
                (false, Time::Night) => dice.between(0.0, 0.3),
                (false, _) => dice.between(0.15, 0.6),
            },
            mist: match wishes.has(Wish::Mist) {
                true => 0.95,
                false => dice.between(0.35, 0.7),
            },
            snow,
            snowfall,
            peaks: wishes.has(Wish::Land(Land::Mountains)),
            aurora: wishes.has(Wish::Aurora),
            orb: orb(time, horizon, dice),
            horizon,
            seed: dice.bits(),
        }
    }
}

fn time(wishes: &Wishes, dice: &mut Dice) -> Time {
    let by_chance = dice.pick(&[Time::Day, Time::Dusk, Time::Dusk, Time::Night]);
    if wishes.has(Wish::Aurora) {
        return Time::Night;
    }
    wishes.time().unwrap_or(by_chance)
}

fn land(wishes: &Wishes, snow: bool, dice: &mut Dice) -> Land {
    use Land::{Desert, Forest, Hills, Mountains, Sea};
    let by_chance = match (wishes.subject(), snow) {
        (Some(Subject::Cat), _) => Hills,
        (_, true) => dice.pick(&[Hills, Mountains, Forest]),
        _ => dice.pick(&[Hills, Mountains, Mountains, Forest, Sea, Desert]),
    };
    // A lake in the mountains is a lake; boats need water.
    if wishes.has(Wish::Land(Sea)) || wishes.subject() == Some(Subject::Boat) {
        return Sea;
    }
    wishes.land().unwrap_or(by_chance)
}

/// Something small to look at where the prompt names nothing.
fn subject(land: Land, time: Time, dice: &mut Dice) -> Option<Subject> {
    use Subject::{Balloon, Birds, Boat, House};
    match (land, time) {
        (Land::Sea, _) => Some(dice.pick(&[Boat, Boat, Birds])),
        (Land::Hills, _) => dice.chance(0.7).then(|| dice.pick(&[House, Balloon])),
        (Land::City, _) | (_, Time::Night) => None,
        _ => dice.chance(0.7).then_some(Birds),
    }
}

fn orb(time: Time, horizon: f32, dice: &mut Dice) -> (f32, f32, f32) {
    let side = if dice.chance(0.5) { 0.32 } else { 0.68 };
    let x = side + dice.between(-0.14, 0.14);
    match time {
        Time::Day => (x, dice.between(0.14, 0.30), dice.between(0.035, 0.05)),
        Time::Dusk => (
            x,
            horizon - dice.between(0.08, 0.22),
            dice.between(0.06, 0.1),
        ),
        Time::Night => (x, dice.between(0.16, 0.32), dice.between(0.05, 0.085)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_decide_whatever_the_seed() {
        for seed in 0..20 {
            let scene = Scene::imagine("A small boat on the sea at night, snowing mountains", seed);
            assert_eq!(scene.time, Time::Night);
            assert_eq!(scene.land, Land::Sea, "the first land named wins");
            assert_eq!(scene.subject, Some(Subject::Boat));

            let scene = Scene::imagine("雪山日出", seed);
            assert_eq!((scene.time, scene.land), (Time::Dusk, Land::Mountains));
            assert!(scene.snow);
        }
    }
}
