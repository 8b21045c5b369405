//! A second throw of the dice: the picture, not the order, was found unfit, and with another seed it may be fit.

use super::super::{Errand, Heard, Step, Ticket};

/// Codes of pictures that were withheld after they were drawn: their risk, their copyright.
const UNFIT: [&str; 2] = ["50511", "50519"];

/// An errand, and the same once more for where what it draws is withheld.
pub(super) struct Reroll {
    errand: Box<dyn Errand>,
    again: Option<Box<dyn Errand>>,
}

impl Reroll {
    pub fn errand(first: Box<dyn Errand>, again: Box<dyn Errand>) -> Box<dyn Errand> {
        Box::new(Self {
            errand: first,
            again: Some(again),
        })
    }
}

fn is_withheld(step: &Step) -> bool {
    let Step::Failed(failure) = step else {
        return false;
    };
    let code = failure.code.as_deref();
    code.is_some_and(|code| UNFIT.contains(&code))
}

impl Errand for Reroll {
    fn next(&mut self, heard: Heard<'_>) -> Step {
        let step = self.errand.next(heard);
        match self.again.take_if(|_| is_withheld(&step)) {
            Some(again) => {
                self.errand = again;
                self.errand.next(Heard::Start)
            }
            None => step,
        }
    }

    fn ticket(&self) -> Option<Ticket> {
        self.errand.ticket()
    }
}
