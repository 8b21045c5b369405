//! What is opened and what is not, over real sockets on this machine.

mod texts;
mod wire;

use super::*;

fn with(change: impl FnOnce(&mut EgressConfig)) -> Guard {
    let mut config = EgressConfig::default();
    change(&mut config);
    Guard::new(&config)
}
